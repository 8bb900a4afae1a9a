public import Framing
public import NIOCore
import Telemetry

/// What the HTTP connections of one listener share on one event loop.
public final class EntryLoop {
  public let eventLoop: any EventLoop
  public let wheel: TimerWheel
  let turns: SharedTurns
  let unread: UnreadAnswers
  public let date = HTTPDate()
  public let limits: HTTPLimits
  /// Whether every connection does TLS: its bytes go through its pipeline alone.
  public let isSecured: Bool
  let refused: RefusalMetrics
  /// Shared by the connections that agreed to compress.
  lazy var inflater = Inflater()
  public internal(set) var routes = RouteTable()
  let parsers: RequestParsers
  let collector = RequestPartCollector()
  /// Connections that still speak HTTP; one that was taken over is its new handler's.
  private(set) var connections: [HTTPConnectionHandler] = []
  private var stays = true
  /// Connections that are kept open between two requests.
  private(set) var idleCount = 0

  public init(
    eventLoop: any EventLoop,
    limits: HTTPLimits = HTTPLimits(),
    isSecured: Bool = false,
    refused: RefusalMetrics = RefusalMetrics()
  ) {
    self.eventLoop = eventLoop
    self.isSecured = isSecured
    self.limits = limits
    self.refused = refused
    self.turns = SharedTurns(eventLoop: eventLoop)
    self.unread = UnreadAnswers(eventLoop: eventLoop, limit: limits.unreadBytes, givenUp: refused.memory)
    self.wheel = TimerWheel(eventLoop: eventLoop, turns: self.turns)
    self.parsers = RequestParsers(limits: limits)
  }

  /// Whether a connection whose client would like that may serve another request after its answer.
  func keepsAnother() -> Bool {
    guard self.stays else { return false }
    guard self.idleCount < self.limits.idleConnections else {
      self.refused.idleConnections.add()
      return false
    }
    return true
  }

  func startedIdling(_ connection: HTTPConnectionHandler) {
    guard !connection.isIdle else { return }
    connection.isIdle = true
    self.idleCount += 1
  }

  func stoppedIdling(_ connection: HTTPConnectionHandler) {
    guard connection.isIdle else { return }
    connection.isIdle = false
    self.idleCount -= 1
  }

  /// Closes connections that do not take their answer, as many as that at the most; how many they were.
  public func closeSlow(_ count: Int) -> Int {
    let slow = self.connections.filter { $0.isSlow }.prefix(count)
    for connection in slow { connection.context?.close(promise: nil) }
    return slow.count
  }

  /// Connections that still speak HTTP.
  public var connectionCount: Int { self.connections.count }

  /// From now on every answer is the last one of its connection, and connections that wait for a request close.
  public func stopKeepingAlive() {
    self.stays = false
    for connection in Array(self.connections) { connection.closeIfIdle() }
  }

  func opened(_ connection: HTTPConnectionHandler) {
    connection.place = self.connections.count
    self.connections.append(connection)
  }

  func left(_ connection: HTTPConnectionHandler) {
    let last = self.connections.removeLast()
    if last !== connection {
      self.connections[connection.place] = last
      last.place = connection.place
    }
    connection.place = -1
    self.stoppedIdling(connection)
    self.wheel.disarm(connection)
  }
}

@available(*, unavailable)
extension EntryLoop: Sendable {}
