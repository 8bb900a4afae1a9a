import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Finds readers that take nothing at all: from the moment a connection is not writable, what the node and its
/// kernel still hold for it must shrink now and then.
final class StallWatch: TimerWheelRider {
  var wheelPlace = TimerWheel.Place()
  private let channel: any Channel
  private let wheel: TimerWheel
  private let limit: TimeAmount
  private let stalled: () -> Void
  private var outstanding = Int.max
  private var shrankAt: NIODeadline

  /// `stalled` is called once, when nothing was taken for `limit`.
  init(_ channel: any Channel, wheel: TimerWheel, limit: TimeAmount, stalled: @escaping () -> Void) {
    self.channel = channel
    self.wheel = wheel
    self.limit = limit
    self.stalled = stalled
    shrankAt = wheel.time
  }

  func writabilityChanged(_ isWritable: Bool) {
    if isWritable { return wheel.disarm(self) }
    outstanding = measure()
    shrankAt = wheel.time
    wheel.arm(self, at: shrankAt + interval)
  }

  func stop() {
    wheel.disarm(self)
  }

  func timeCame(_ now: NIODeadline) -> NIODeadline? {
    let left = measure()
    if left < outstanding {
      outstanding = left
      shrankAt = now
    } else if now - shrankAt >= limit {
      stalled()
      return nil
    }
    return now + interval
  }

  private var interval: TimeAmount { .nanoseconds(max(limit.nanoseconds / 4, 250_000_000)) }

  /// Bytes that the peer has not acknowledged, in our buffer and in the kernel's.
  private func measure() -> Int {
    let buffered = (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    var queued: Int32 = 0
    #if os(Linux)
      let SIOCOUTQ = UInt(0x5411)
      _ = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
        ioctl($0, SIOCOUTQ, &queued)
      }
    #endif
    return buffered + Int(queued)
  }
}

@available(*, unavailable) extension StallWatch: Sendable {}
