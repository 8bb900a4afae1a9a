internal import NIOCore
internal import Sessions
private import Wire

/// What a node says of itself to the cluster and to operators: one JSON object.
struct NodeReport: Equatable {
  var node: String
  /// Node id, `/`, random start id.
  var incarnation: String
  var state: NodeState
  var version: String
  /// Whole seconds since the process began to serve.
  var uptime: Int
  var connections = Connections()
  var drain: Drain.Progress?

  struct Connections: Equatable {
    var webSocket = 0
    var eventStream = 0
    var poll = 0

    var all: Int { webSocket + eventStream + poll }
  }
}

extension NodeReport {
  var json: ByteBuffer {
    var bytes = ByteBuffer()
    write(to: &bytes)
    return bytes
  }

  func write(to bytes: inout ByteBuffer) {
    bytes.openObject()
    bytes.writeMember("node", node)
    bytes.writeMember("incarnation", incarnation)
    bytes.writeMember("state", state.rawValue)
    bytes.writeMember("version", version)
    bytes.writeMember("uptime_s", uptime)
    bytes.writeMember("connections") { bytes in
      bytes.openObject()
      bytes.writeMember("websocket", connections.webSocket)
      bytes.writeMember("sse", connections.eventStream)
      bytes.writeMember("poll", connections.poll)
      bytes.closeObject()
    }
    if let drain {
      bytes.writeMember("drain") { bytes in
        bytes.openObject()
        bytes.writeMember("remaining", drain.remaining)
        bytes.writeMember("per_second") { $0.writeString(NodeReport.oneDecimal(drain.perSecond)) }
        bytes.writeMember("seconds_left", drain.secondsLeft)
        bytes.writeMember("forced", drain.forced)
        bytes.closeObject()
      }
    }
    bytes.closeObject()
  }

  /// Reads what another node wrote; nil for what is none.
  init?(_ json: ByteBuffer) {
    guard let object = try? JSONObject(json), let node = object["node"]?.string,
      let incarnation = object["incarnation"]?.string,
      let state = object["state"]?.string.flatMap(NodeState.init),
      let version = object["version"]?.string, let uptime = object["uptime_s"]?.integer
    else { return nil }
    self.node = node
    self.incarnation = incarnation
    self.state = state
    self.version = version
    self.uptime = Int(uptime)
    if let connections = object["connections"]?.object {
      self.connections = Connections(
        webSocket: Int(connections["websocket"]?.integer ?? 0),
        eventStream: Int(connections["sse"]?.integer ?? 0),
        poll: Int(connections["poll"]?.integer ?? 0)
      )
    }
    if let drain = object["drain"]?.object {
      let pace = drain["per_second"].map { String(buffer: $0.bytes) }
      self.drain = Drain.Progress(
        remaining: Int(drain["remaining"]?.integer ?? 0),
        perSecond: pace.flatMap(Double.init) ?? 0,
        secondsLeft: Int(drain["seconds_left"]?.integer ?? 0),
        forced: Int(drain["forced"]?.integer ?? 0)
      )
    }
  }

  private static func oneDecimal(_ number: Double) -> String {
    let tenths = Int((number * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
  }
}
