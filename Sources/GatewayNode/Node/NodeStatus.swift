internal import Brokering
private import NIOConcurrencyHelpers
internal import NIOCore
internal import Sessions
private import Telemetry
internal import Transports
internal import Wire

/// How a node stands, for everyone who asks. From any thread.
final class NodeStatus: Sendable {
  struct Standing: Sendable, Equatable {
    var state: NodeState
    var drain: Drain.Progress?
  }

  let node: String
  /// Node id, `/`, random start id.
  let incarnation: String
  let broker: any Broker
  private let metrics: TransportMetrics
  private let load: @Sendable () -> NodeLoad
  private let began = NIODeadline.now()
  private let box = NIOLockedValueBox(Standing(state: .starting))

  init(
    node: String,
    incarnation: String,
    broker: any Broker,
    metrics: TransportMetrics,
    load: @escaping @Sendable () -> NodeLoad = { NodeLoad() }
  ) {
    self.node = node
    self.incarnation = incarnation
    self.broker = broker
    self.metrics = metrics
    self.load = load
  }

  var standing: Standing {
    get { box.withLockedValue { $0 } }
    set { box.withLockedValue { $0 = newValue } }
  }

  /// Whether this node is called by that name, or by that incarnation.
  func isCalled(_ name: String) -> Bool { name == node || name == incarnation }

  /// Whole seconds since the process began to serve.
  var uptime: Int { Int((NIODeadline.now() - began).nanoseconds / 1_000_000_000) }

  /// Connections that are held open.
  var connections: NodeReport.Connections {
    NodeReport.Connections(
      webSocket: metrics.webSockets.value,
      eventStream: metrics.eventStreams.value,
      poll: metrics.polls.value
    )
  }

  /// What the node says of itself at this moment.
  var report: NodeReport {
    let standing = standing
    return NodeReport(
      node: node,
      incarnation: incarnation,
      state: standing.state,
      version: Version.text,
      uptime: uptime,
      startedAt: broker.clock.milliseconds(at: began),
      connections: connections,
      drain: standing.drain,
      load: load()
    )
  }

  /// Why the node should get no new connections; nil when it should.
  var unreadiness: ClientError? {
    switch standing.state {
    case .starting:
      ClientError(.unavailable, "the node is starting\(broker.health.problem.map { ": \($0)" } ?? "")")
    case .draining: ClientError(.draining, "the node is draining: its sessions move to other nodes")
    case .drained: ClientError(.draining, "the node is drained: it has no sessions and takes none")
    case .stopped: ClientError(.draining, "the node stops")
    case .ready:
      broker.health.isReady
        ? nil : ClientError(.unavailable, broker.health.problem ?? "the cluster's store cannot be reached")
    }
  }
}
