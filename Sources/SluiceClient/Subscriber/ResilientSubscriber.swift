public import NIOCore
import NIOHTTP1
public import Wire

/// One subscriber that stays one over any number of connections and transports: it keeps its cursors, comes back
/// with them, and when it is sent away, or sent elsewhere, connects anew first. It writes down everything it
/// receives.
///
/// Everything about it happens on its loop, its methods are to be called there.
public final class ResilientSubscriber {
  public let loop: any EventLoop
  public let settings: SubscriberSettings
  /// Told every event that is news, in order. While it is nil, messages take a shorter way.
  public var onEvent: ((ServerEvent) -> Void)?
  /// Told how it stands, whenever that changes.
  public var onState: ((ConnectionState) -> Void)?
  /// Told that one channel is refused for good; it is not followed any more. While it is nil, that is a complaint.
  public var onRefused: ((ChannelName, ClientError) -> Void)?
  /// Asked for other headers when the token is refused; `authorize` goes on. While it is nil, that is the end.
  public var onUnauthorized: (() -> Void)?
  /// Told when it has given up for good, with the reason.
  public var onGivenUp: ((String) -> Void)?

  /// Told of each connection when all its channels are subscribed, and when it has ended.
  public var onReady: ((DeliveryJournal.Connection) -> Void)?
  public var onEnd: ((DeliveryJournal.Connection) -> Void)?

  var followed: [FollowedChannel]
  /// The channels' names, to be compared without a string.
  var channelBytes: [ContiguousArray<UInt8>]
  var lastSerial: Int
  /// Counts the changes of what is followed.
  var revision = 0
  /// The connection that is the source, or is to become it.
  var current: SubscriberLeg?
  /// The one that is to take over from `current`, which goes on meanwhile.
  var successor: SubscriberLeg?
  var connections: [DeliveryJournal.Connection] = []
  var complaints: [String] = []
  var ladder: TransportLadder
  var backoff: Backoff
  var endpointNow: Endpoint
  var headers: HTTPHeaders
  var refusedTokens = 0
  public internal(set) var session: String?
  var routeCookie: String?
  /// Between two event streams, as the last one asked.
  var retry = TimeAmount.milliseconds(3_000)
  /// Of a native event stream.
  var lastEventID: ByteBuffer?
  var readRate: Int??
  var dial: Scheduled<Void>?
  var dialDue = NIODeadline.distantFuture
  var watch: Scheduled<Void>?
  var climb: Scheduled<Void>?
  var climbWait: TimeAmount
  /// Better transports that are still to be tried in this turn.
  var trials: [SubscriberTransport] = []
  var isStarted = false
  var isStopped = false
  var isHeldBack: Bool
  var isReplacing = false
  /// Nothing is taken until it is resumed.
  public internal(set) var isPaused = false
  /// A connection waits for the end of a pause.
  var isDialDue = false
  /// Why it has given up for good, if it has.
  public internal(set) var givenUp: String?
  /// Messages that were news.
  public internal(set) var received = 0

  public init(_ settings: SubscriberSettings, on loop: any EventLoop) {
    self.settings = settings
    self.loop = loop
    backoff = settings.backoff
    ladder = TransportLadder([settings.transport] + settings.fallbacks)
    endpointNow = settings.endpoint
    headers = settings.headers
    session = settings.session
    isHeldBack = settings.isHeldBack
    climbWait = settings.climbAfter
    followed = settings.channels.enumerated().map {
      FollowedChannel($1, serial: $0, since: settings.since, presence: settings.presence)
    }
    lastSerial = followed.count
    channelBytes = settings.channels.map { ContiguousArray($0.text.utf8) }
  }

  /// Lets a witness see what comes in the channel at this place in its settings. To be called before it starts.
  public func setWitness(_ witness: any DeliveryWitness, at index: Int) {
    followed[index].witness = witness
  }

  /// Begins to connect.
  public func start() {
    guard !isStarted, !isStopped else { return }
    isStarted = true
    scheduleWatch()
    dialNow()
  }

  /// Leaves for good. What it has received stays in the journal.
  public func stop() {
    guard !isStopped else { return }
    isStopped = true
    for place in followed.indices where followed[place].isActive { followed[place].follower.stopped() }
    end()
    onState?(.idle)
    onState = nil
    onRefused = nil
    onUnauthorized = nil
    onGivenUp = nil
  }

  /// Subscribes, where the settings hold it back.
  public func release() {
    guard isHeldBack else { return }
    isHeldBack = false
    if let current, let socket = current.socket, socket.isOpen {
      current.openingSince = .now()
      subscribeAll(on: current)
    }
  }

  /// Cuts its connection, as a lost network does; it comes back by itself.
  public func cut() {
    for leg in [current, successor].compactMap({ $0 }) { connections[leg.serial].wasLetGo = true }
    successor?.abort()
    current?.abort()
  }

  /// Changes the pace of one whose endpoint has a `readRate`, connections to come included.
  public func setReadRate(_ bytesPerSecond: Int?) {
    readRate = .some(bytesPerSecond)
    current?.setReadRate(bytesPerSecond)
    successor?.setReadRate(bytesPerSecond)
  }

  /// Whether every channel is subscribed at the moment.
  public var isReady: Bool { current?.isReady == true }

  /// The node it is connected to.
  public var node: String? { current.flatMap { connections[$0.serial].node } }

  /// The transport it is connected by, or will try next.
  public var transport: SubscriberTransport { current?.transport ?? ladder.current }

  /// Whether the last `move` is done: no other connection is on its way.
  public var hasMoved: Bool { successor == nil && current?.isToBeReplaced == false }

  /// What it saw last of the channel at this place in its settings.
  public func position(at index: Int) -> Cursor? { followed[index].follower.position }

  /// What it received until now.
  public var journal: DeliveryJournal {
    var connections = connections
    if let current { connections[current.serial].longestPause = current.longestPause }
    return DeliveryJournal(
      subscriber: settings.name,
      transport: settings.transport,
      tracks: followed.map(\.follower.track),
      connections: connections,
      complaints: complaints
    )
  }
}

@available(*, unavailable)
extension ResilientSubscriber: Sendable {}
