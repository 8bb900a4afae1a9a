import Admission
import Brokering
import NIOCore
import Wire

/// A held connection that can grow too old.
protocol AgingConnection: HeldConnection {
  /// Leaves the wheel with its connection.
  var age: ConnectionAge? { get set }
  var holder: HolderID { get }
  var session: Session { get }
  var caller: Caller { get }
  static var transport: TransportKind { get }
}

/// The end of a connection's time, on the wheel of its loop.
final class ConnectionAge: TimerWheelRider {
  var wheelPlace = TimerWheel.Place()
  private unowned let worker: Worker
  private weak var connection: (any AgingConnection)?

  init(_ connection: any AgingConnection, worker: Worker) {
    self.connection = connection
    self.worker = worker
  }

  /// When it is too old: each connection has its own time, so that those that came together do not go together.
  static func deadline(_ maximum: TimeAmount, now: NIODeadline) -> NIODeadline {
    now + .nanoseconds(Int64(Double(maximum.nanoseconds) * .random(in: 0.8...1.2)))
  }

  /// A connection that may not go now is looked at again some time later.
  func timeCame(_ now: NIODeadline) -> NIODeadline? {
    guard let connection else { return nil }
    return worker.sendAwayOld(connection) ? nil : now + .milliseconds(.random(in: 2_000...6_000))
  }
}

@available(*, unavailable) extension ConnectionAge: Sendable {}
