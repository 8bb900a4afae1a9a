public import Framing
public import NIOCore

/// What the HTTP connections of one listener share on one event loop.
public final class EntryLoop {
  public let eventLoop: any EventLoop
  public let wheel: TimerWheel
  public let date = HTTPDate()
  public let limits: HTTPLimits
  public internal(set) var routes = RouteTable()
  let parsers: RequestParsers
  let collector = RequestPartCollector()
  /// Connections that still speak HTTP; one that was taken over is its new handler's.
  private(set) var connections: [HTTPConnectionHandler] = []
  private(set) var keepsAlive = true

  public init(eventLoop: any EventLoop, limits: HTTPLimits = HTTPLimits()) {
    self.eventLoop = eventLoop
    self.limits = limits
    self.wheel = TimerWheel(eventLoop: eventLoop)
    self.parsers = RequestParsers(limits: limits)
  }

  /// Connections that still speak HTTP.
  public var connectionCount: Int { self.connections.count }

  /// From now on every answer is the last one of its connection, and connections that wait for a request close.
  public func stopKeepingAlive() {
    self.keepsAlive = false
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
    self.wheel.disarm(connection)
  }
}

@available(*, unavailable)
extension EntryLoop: Sendable {}
