import NIOCore
import SluiceClient

/// Tells how late a loop is, a hundred times a second.
final class LagMeter {
  private static let period = TimeAmount.milliseconds(10)

  private let loop: any EventLoop
  private let counters: LoadCounters
  private var timer: Scheduled<Void>?

  init(on loop: any EventLoop, _ counters: LoadCounters) {
    self.loop = loop
    self.counters = counters
    wait(until: .now() + LagMeter.period)
  }

  func stop() {
    timer?.cancel()
    timer = nil
  }

  private func wait(until deadline: NIODeadline) {
    timer = loop.assumeIsolated().scheduleTask(deadline: deadline) {
      let now = NIODeadline.now()
      self.counters.lagged(now - deadline)
      self.wait(until: max(deadline, now) + LagMeter.period)
    }
  }
}

@available(*, unavailable)
extension LagMeter: Sendable {}
