internal import NIOCore
internal import Wire

/// What an operator wants of a node, as one node sends it to another.
struct NodeCommand: Equatable, Sendable {
  enum Act: Equatable, Sendable {
    /// Over so many seconds, or over the node's own window.
    case drain(overSeconds: Int64?)
    case undrain
  }

  /// What a drain may be spread over, in seconds.
  static let windows: ClosedRange<Int64> = 0...3_600

  var act: Act
  /// Who asked, for the node's log.
  var by: String

  init(_ act: Act, by: String) {
    self.act = act
    self.by = by
  }

  var json: ByteBuffer {
    var bytes = ByteBuffer()
    bytes.openObject()
    switch act {
    case .drain(let seconds):
      bytes.writeMember("act", "drain")
      if let seconds { bytes.writeMember("over_seconds", seconds) }
    case .undrain: bytes.writeMember("act", "undrain")
    }
    bytes.writeMember("by", by)
    bytes.closeObject()
    return bytes
  }

  /// Nil for a command that this version does not know.
  init?(_ json: ByteBuffer) {
    guard let object = try? JSONObject(json), let by = object["by"]?.string else { return nil }
    switch object["act"]?.string {
    case "drain":
      var seconds: Int64?
      if let field = object["over_seconds"] {
        guard let whole = field.integer, NodeCommand.windows.contains(whole) else { return nil }
        seconds = whole
      }
      act = .drain(overSeconds: seconds)
    case "undrain": act = .undrain
    default: return nil
    }
    self.by = by
  }
}

/// What the node says to it: its own object afterwards, or why not.
enum NodeReply {
  static func json(_ result: Result<ByteBuffer, ClientError>) -> ByteBuffer {
    var bytes = ByteBuffer()
    bytes.openObject()
    switch result {
    case .success(let node): bytes.writeMember("node", node)
    case .failure(let error):
      bytes.writeMember("error") { bytes in
        bytes.openObject()
        bytes.writeMember("code", error.code.rawValue)
        bytes.writeMember("message", error.message)
        bytes.closeObject()
      }
    }
    bytes.closeObject()
    return bytes
  }

  static func read(_ json: ByteBuffer) -> Result<ByteBuffer, ClientError> {
    let object = try? JSONObject(json)
    if let node = object?["node"] { return .success(node.bytes) }
    guard let error = object?["error"]?.object,
      let code = error["code"]?.string.flatMap(ErrorCode.init(rawValue:)),
      let message = error["message"]?.string
    else { return .failure(ClientError(.internal, "the node gave an answer that makes no sense")) }
    return .failure(ClientError(code, message))
  }
}
