import NIOCore

/// How late an event loop is: by how much each second came too late. Confined to its loop.
final class LoopLag {
  private let loop: any EventLoop
  private var expected: NIODeadline
  /// Of the last seconds, the latest weighing most.
  private(set) var recent = TimeAmount.zero

  init(_ loop: any EventLoop) {
    self.loop = loop
    expected = loop.now + .seconds(1)
  }

  /// Called by a task that the loop repeats each second.
  func secondPassed() {
    let late = max(.zero, loop.now - expected)
    recent = .nanoseconds(max(late.nanoseconds, recent.nanoseconds / 2))
    expected = loop.now + .seconds(1)
  }
}

@available(*, unavailable) extension LoopLag: Sendable {}
