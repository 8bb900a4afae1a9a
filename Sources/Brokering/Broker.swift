public import NIOCore

/// What a node needs of the cluster: one log per channel, a feed of what is appended to it, presence, and the
/// registry of nodes.
///
/// It is made with the namespaces' options. Promises: an answered publish is in the log; the feed of a channel has the
/// order of its log; nothing that a node wrote about its sessions outlives its lease.
public protocol Broker: AnyObject, Sendable {
  /// The door for one event loop. Call it on that loop, once. Everything a port does happens on its loop: its
  /// methods are called there, and there it calls `receiver` and every completion.
  func makePort(on loop: any EventLoop, receiver: any FeedReceiver) -> any BrokerPort

  /// Connects and takes the node's lease. Returns when the node can serve, or throws what an operator can
  /// act on when the settings are wrong (a password refused); an absent server is no error, it is waited for.
  func start() async throws

  /// Gives up the lease and closes. Presence that this node still holds is left to nobody: it is removed first; soon
  /// after a fault, by the nodes that stay, when those who went over to them are joined there.
  func shutdown() async

  /// Whether publishes and the feed work at the moment.
  var health: BrokerHealth { get }

  /// The time that all nodes agree on.
  var clock: ClusterClock { get }

  /// What has gone wrong so far.
  var metrics: BrokerMetrics { get }

  // MARK: Events

  /// Which events are wanted. Set once, before `start`.
  func note(_ kinds: Set<ClusterEvent.Kind>)

  /// A connection has come, whose end is an event with `detail`, one JSON object.
  func connected(_ holder: HolderID, detail: ByteBuffer)

  /// It is gone.
  func disconnected(_ holder: HolderID)

  /// The node stops, and holds nothing open any more: what ends by that is among the events from then on. Where other nodes
  /// see to what one has left open, nothing happens.
  func ceased()

  /// The oldest events of the cluster, for this node to deliver during `duration`; none while another one does. With a
  /// `limit` of 0 this one gives that up.
  func events(atMost limit: Int, for duration: TimeAmount) async throws(BrokerError) -> [ClusterEvent]

  /// The events were delivered: they are not answered any more.
  func delivered(_ events: [ClusterEvent]) async throws(BrokerError)

  // MARK: Nodes

  /// What every node of the cluster last said of itself, dead ones for a while.
  func nodes() async throws(BrokerError) -> [NodeRecord]

  /// What this node says of itself with each heartbeat from now on: one JSON object.
  func announce(_ state: ByteBuffer)

  /// Who carries out the commands that other nodes send to this one, and answers them. Set once, before `start`.
  func obey(_ carryOut: @escaping @Sendable (ByteBuffer) async -> ByteBuffer)

  /// Sends a command to another living node and waits some seconds for its answer. `unavailable` says why there is
  /// none, and whether the node may have taken the command: one that it has not taken by then it never takes.
  func command(_ command: ByteBuffer, to incarnation: String) async throws(BrokerError) -> ByteBuffer
}

/// A broker that knows no other node, and notes no events.
extension Broker {
  public func note(_ kinds: Set<ClusterEvent.Kind>) {}
  public func connected(_ holder: HolderID, detail: ByteBuffer) {}
  public func disconnected(_ holder: HolderID) {}
  public func ceased() {}
  public func delivered(_ events: [ClusterEvent]) async throws(BrokerError) {}

  public func events(
    atMost limit: Int,
    for duration: TimeAmount
  ) async throws(BrokerError) -> [ClusterEvent] { [] }

  public func obey(_ carryOut: @escaping @Sendable (ByteBuffer) async -> ByteBuffer) {}

  public func command(
    _ command: ByteBuffer,
    to incarnation: String
  ) async throws(BrokerError) -> ByteBuffer {
    throw BrokerError(.unavailable, "this node runs alone: it knows no \(incarnation)")
  }
}
