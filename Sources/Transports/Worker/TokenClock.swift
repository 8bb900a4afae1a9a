import NIOCore
import Wire

/// The moment at which a connection's token runs out, on the wheel of its loop.
final class TokenClock: TimerWheelRider {
  var wheelPlace = TimerWheel.Place()
  var isByTheWorldsTime: Bool { true }
  private let ended: () -> Void
  private var expires: Int64

  /// - Parameters:
  ///   - expires: in milliseconds since 1970, by a clock that may be set.
  ///   - ended: called once, when that has come.
  init(expires: Int64, _ ended: @escaping () -> Void) {
    self.expires = expires
    self.ended = ended
  }

  /// The wheel is asked for no more than this at once, so that a clock that was set is noticed.
  private static let longestSleep = Int64(60_000)

  func arm(on wheel: TimerWheel) {
    wheel.arm(self, at: next(wheel.time) ?? wheel.time)
  }

  func timeCame(_ now: NIODeadline) -> NIODeadline? {
    if let next = next(now) { return next }
    ended()
    return nil
  }

  private func next(_ now: NIODeadline) -> NIODeadline? {
    let left = expires - WallClock.milliseconds()
    return left > 0 ? now + .milliseconds(min(left, TokenClock.longestSleep)) : nil
  }
}

@available(*, unavailable) extension TokenClock: Sendable {}
