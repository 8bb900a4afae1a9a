public import NIOCore
private import Wire

/// What to send to an operator listener to drain a node, or to call that off.
public struct DrainRequest: Sendable {
  /// Why it cannot be sent, for a person.
  public struct Failure: Error, Sendable, CustomStringConvertible {
    public let description: String
  }

  /// The route, for `POST` and `DELETE`.
  public let path: String
  public let body: ByteBuffer

  /// - Parameters:
  ///   - node: its name, or its incarnation.
  ///   - over: a duration in whole seconds; nil for the node's own window.
  public init(node: String, over: String? = nil) throws(Failure) {
    path = try DrainRequest.path(of: node) + "/drain"
    var body = ByteBuffer()
    body.openObject()
    if let over {
      guard let window = DurationText.read(over), (.zero ... .hours(1)).contains(window),
        window.nanoseconds % 1_000_000_000 == 0
      else {
        throw Failure(
          description:
            "--over is \"\(over)\": expected a duration of whole seconds up to 1h, such as 30s or 5m"
        )
      }
      body.writeMember("over_seconds", window.nanoseconds / 1_000_000_000)
    }
    body.closeObject()
    self.body = body
  }

  /// The route of a node's object.
  static func path(of node: String) throws(Failure) -> String {
    let parts = node.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.allSatisfy({ HostName.isNodeName(String($0)) }) else {
      throw Failure(description: "\"\(node)\" is no node's name: `sluice nodes` lists them")
    }
    return "/v1/nodes/" + parts.joined(separator: "%2F")
  }
}
