internal import NIOCore
internal import Sessions
internal import Wire

/// What a node says of itself to the cluster and to operators: one JSON object.
struct NodeReport: Equatable {
  var node: String
  /// Node id, `/`, random start id.
  var incarnation: String
  var state: NodeState
  var version: String
  /// Whole seconds since the process began to serve.
  var uptime: Int
  /// When it did, in milliseconds since 1970.
  var startedAt: Int64 = 0
  var connections = Connections()
  var drain: Drain.Progress?
  var load = NodeLoad()
  var life = Life.lives
  /// How long ago the node said this.
  var silence = TimeAmount.zero

  /// What the registry knows of the process behind the report.
  enum Life: Equatable {
    case lives
    /// Its lease is over. `replacedBy` is a later process of the same name.
    case dead(replacedBy: String?)
  }

  var isAlive: Bool { life == .lives }

  struct Connections: Equatable {
    var webSocket = 0
    var eventStream = 0
    var poll = 0

    var all: Int { webSocket + eventStream + poll }
  }
}

extension NodeReport {
  /// Seconds that are believed: up to three thousand years.
  private static let uptimes: ClosedRange<Int64> = 0...100_000_000_000

  var json: ByteBuffer {
    var bytes = ByteBuffer()
    write(to: &bytes)
    return bytes
  }

  func write(to bytes: inout ByteBuffer) {
    bytes.openObject()
    bytes.writeMember("node", node)
    bytes.writeMember("incarnation", incarnation)
    bytes.writeMember("state", shownState)
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
        bytes.writeMember("per_second", drain.perSecond)
        bytes.writeMember("seconds_left", drain.secondsLeft)
        bytes.writeMember("forced", drain.forced)
        if let step = drain.step { bytes.writeMember("phase", step.rawValue) }
        bytes.closeObject()
      }
    }
    bytes.writeMember("started_at", startedAt)
    bytes.writeMember("alive", isAlive)
    bytes.writeMember("seen_s", silence.nanoseconds / 1_000_000_000)
    if case .dead(let successor?) = life { bytes.writeMember("replaced_by", successor) }
    load.write(to: &bytes)
    bytes.closeObject()
  }

  /// Who has stopped in order says so last; any other end is a death.
  var shownState: String { isAlive || state == .stopped ? state.rawValue : "dead" }

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
    self.uptime = Int(uptime.clamped(to: NodeReport.uptimes))
    startedAt = object["started_at"]?.integer ?? 0
    if let connections = object["connections"]?.object {
      self.connections = Connections(
        webSocket: Int(connections["websocket"]?.integer ?? 0),
        eventStream: Int(connections["sse"]?.integer ?? 0),
        poll: Int(connections["poll"]?.integer ?? 0)
      )
    }
    if let drain = object["drain"]?.object {
      self.drain = Drain.Progress(
        remaining: Int(drain["remaining"]?.integer ?? 0),
        perSecond: drain["per_second"]?.number ?? 0,
        secondsLeft: Int(drain["seconds_left"]?.integer ?? 0),
        forced: Int(drain["forced"]?.integer ?? 0),
        step: drain["phase"]?.string.flatMap(Drain.Progress.Step.init)
      )
    }
    load = NodeLoad(object)
  }
}
