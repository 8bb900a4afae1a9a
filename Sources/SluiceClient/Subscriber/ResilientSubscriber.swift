public import NIOCore
import NIOHTTP1
public import Wire

/// One subscriber that stays one over any number of connections: it keeps its cursors, comes back with them, and
/// when it is sent away connects anew first. It writes down everything it receives.
///
/// Everything about it happens on its loop, its methods are to be called there.
public final class ResilientSubscriber {
  public let loop: any EventLoop
  public let settings: SubscriberSettings
  /// Told every event that is news, in order. While it is nil, messages take a shorter way.
  public var onEvent: ((ServerEvent) -> Void)?
  /// Told when it has given up for good, with the reason.
  public var onGivenUp: ((String) -> Void)?

  var followers: [ChannelFollower]
  /// The followers' names, to be compared without a string.
  let channelBytes: [ContiguousArray<UInt8>]
  /// The connection that is the source, or is to become it.
  var current: SubscriberLeg?
  /// The one that is to take over from `current`, which goes on meanwhile.
  var successor: SubscriberLeg?
  var connections: [DeliveryJournal.Connection] = []
  var complaints: [String] = []
  var backoff: Backoff
  var session: String?
  var routeCookie: String?
  /// Between two event streams, as the last one asked.
  var retry = TimeAmount.milliseconds(3_000)
  var lastEventID = ByteBuffer()
  private var readRate: Int??
  private var dial: Scheduled<Void>?
  private var watch: Scheduled<Void>?
  private var isStopped = false
  var isHeldBack: Bool
  /// Why it has given up for good, if it has.
  public private(set) var givenUp: String?
  /// Messages that were news.
  public internal(set) var received = 0

  public init(_ settings: SubscriberSettings, on loop: any EventLoop) {
    self.settings = settings
    self.loop = loop
    backoff = settings.backoff
    isHeldBack = settings.isHeldBack
    followers = settings.channels.map { ChannelFollower(channel: $0) }
    channelBytes = settings.channels.map { ContiguousArray($0.text.utf8) }
  }

  /// Begins to connect.
  public func start() {
    guard watch == nil, !isStopped else { return }
    scheduleWatch()
    dialNow()
  }

  /// Leaves for good. What it has received stays in the journal.
  public func stop() {
    guard !isStopped else { return }
    isStopped = true
    for index in followers.indices { followers[index].stopped() }
    end()
  }

  /// Subscribes, where the settings hold it back.
  public func release() {
    guard isHeldBack else { return }
    isHeldBack = false
    if let current {
      current.openingSince = .now()
      subscribeAll(on: current)
    }
  }

  /// Cuts its connection, as a lost network does; it comes back by itself.
  public func cut() {
    successor?.abort()
    current?.abort()
  }

  /// Changes the pace of one whose endpoint has a `readRate`, connections to come included.
  public func setReadRate(_ bytesPerSecond: Int?) {
    readRate = .some(bytesPerSecond)
    for leg in [current, successor] {
      switch leg?.link {
      case .webSocket(let connection): connection.setReadRate(bytesPerSecond)
      case .eventStream(let connection): connection.setReadRate(bytesPerSecond)
      case nil: break
      }
    }
  }

  /// The cursor that the settings begin with.
  var initialCursor: Cursor? {
    if case .cursor(let cursor) = settings.since { cursor } else { nil }
  }

  /// Whether every channel is subscribed at the moment.
  public var isReady: Bool { current?.isReady == true }

  /// The node it is connected to.
  public var node: String? { current.flatMap { connections[$0.serial].node } }

  /// What it saw last of the channel at this place in its settings.
  public func position(at index: Int) -> Cursor? { followers[index].position }

  /// What it received until now.
  public var journal: DeliveryJournal {
    DeliveryJournal(
      subscriber: settings.name,
      transport: settings.transport,
      tracks: followers.map(\.track),
      connections: connections,
      complaints: complaints
    )
  }
}

// MARK: connecting

extension ResilientSubscriber {
  /// Where the next connection goes.
  var endpoint: Endpoint {
    var endpoint = settings.endpoint
    if let readRate { endpoint.readRate = readRate }
    return endpoint
  }

  /// Opens a connection: the first, one after a loss, or the successor of one that goes on.
  func dialNow() {
    dial = nil
    guard !isStopped, givenUp == nil else { return }
    let leg = SubscriberLeg(serial: connections.count, channels: followers.count)
    connections.append(DeliveryJournal.Connection(dialedAt: .now()))
    if current == nil { current = leg } else { successor = leg }
    switch settings.transport {
    case .webSocket: openWebSocket(leg)
    case .eventStream, .nativeEventSource: openEventStream(leg)
    }
  }

  func scheduleDial(in wait: TimeAmount) {
    guard !isStopped, givenUp == nil, dial == nil else { return }
    dial = loop.assumeIsolated().scheduleTask(in: wait) { self.dialNow() }
  }

  /// Every channel of the leg is subscribed.
  func ready(_ leg: SubscriberLeg) {
    connections[leg.serial].readyAt = .now()
    backoff.succeeded()
    guard leg === successor else { return }
    let old = current
    current = leg
    successor = nil
    old?.letGo()
    if leg.isSentAway { scheduleDial(in: .zero) }
  }

  /// The node asks to go elsewhere after a delay; the leg goes on until a successor is subscribed.
  func sentAway(_ leg: SubscriberLeg, after wait: TimeAmount) {
    connections[leg.serial].sentAwayAt = .now()
    leg.isSentAway = true
    if leg === current, successor == nil { scheduleDial(in: wait) }
  }

  /// A leg has ended. `wait` is nil when there is to be no other.
  func ended(_ leg: SubscriberLeg, _ end: String, closeCode: UInt16? = nil, redialIn wait: TimeAmount?) {
    connections[leg.serial].endedAt = .now()
    connections[leg.serial].end = end
    connections[leg.serial].closeCode = closeCode
    leg.link = nil
    guard !isStopped, leg === current || leg === successor else { return }
    if leg === current {
      current = successor
      successor = nil
    } else {
      successor = nil
    }
    if let wait {
      if current == nil || current?.isSentAway == true, successor == nil { scheduleDial(in: wait) }
    } else {
      giveUp(end)
    }
  }

  func giveUp(_ reason: String) {
    guard givenUp == nil, !isStopped else { return }
    givenUp = reason
    end()
    onGivenUp?(reason)
  }

  private func end() {
    dial?.cancel()
    dial = nil
    watch?.cancel()
    watch = nil
    successor?.letGo()
    current?.letGo()
    onEvent = nil
  }

  private func scheduleWatch() {
    guard !isStopped, givenUp == nil else { return }
    watch = loop.assumeIsolated().scheduleTask(in: .milliseconds(.random(in: 4_000...6_000))) {
      self.giveUpSilentLegs()
      self.scheduleWatch()
    }
  }

  private func giveUpSilentLegs() {
    for leg in [current, successor].compactMap({ $0 }) {
      let now = NIODeadline.now()
      if leg.isReady {
        if now - leg.lastHeard > settings.longestSilence { leg.abort() }
      } else if !isHeldBack, now - leg.openingSince > settings.openingTimeout {
        leg.abort()
      }
    }
  }

  func keepRoute(_ headers: HTTPHeaders) {
    if let value = RouteCookie.value(in: headers) { routeCookie = value }
  }

  /// What every request carries.
  var requestHeaders: HTTPHeaders {
    var headers = settings.headers
    if let routeCookie {
      let cookie = RouteCookie.header(routeCookie)
      headers.add(name: cookie.name, value: cookie.value)
    }
    return headers
  }
}

@available(*, unavailable)
extension ResilientSubscriber: Sendable {}
