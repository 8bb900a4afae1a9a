import NIOCore

/// Held polls that have something to say and wait a moment for more: one timer for all of a loop.
final class PollGathering {
  private let loop: any EventLoop
  private let time: TimeAmount
  private var waiting: [Poll] = []

  init(on loop: any EventLoop, for time: TimeAmount) {
    self.loop = loop
    self.time = time
  }

  /// Answers the poll soon, together with the others.
  func add(_ poll: Poll) {
    waiting.append(poll)
    guard waiting.count == 1 else { return }
    loop.assumeIsolated().scheduleTask(in: time) { [weak self] in self?.answerAll() }
  }

  private func answerAll() {
    let polls = waiting
    waiting = []
    for poll in polls { poll.answer() }
  }
}

@available(*, unavailable) extension PollGathering: Sendable {}
