import DequeModule
import NIOCore

/// Somebody with work that can wait. Confined to its turns' event loop.
protocol TurnTaker: AnyObject {
  /// It is its turn: it works while `SharedTurns.mayGoOn` and then waits again, if something is left.
  func takeTurn()
}

/// How those who have much to do on one event loop share it with each other, and with everybody else: each does a little
/// at a time, and between that the loop reads and writes for all.
///
/// Whoever has little to do does it at once, and never waits here.
public final class SharedTurns {
  /// What anybody may do without having waited.
  private static let little = 2
  /// From the end of a turn on. Long enough that the loop, which does its tasks as long as there are any, reads before it
  /// goes on here.
  private static let rest = TimeAmount.microseconds(100)

  private struct Waiting {
    weak var taker: (any TurnTaker)?
  }

  private let eventLoop: any EventLoop
  private let clock: () -> NIODeadline
  private let turn: TimeAmount
  private var waiting = Deque<Waiting>()
  private var isScheduled = false
  /// Whether somebody who has waited is at work.
  private var isServing = false
  private var done = 0
  private var endsAt = NIODeadline.distantFuture

  /// - Parameters:
  ///   - turn: how long one may work before the loop does everything else.
  ///   - clock: the event loop's, if it is not another.
  init(
    eventLoop: any EventLoop,
    turn: TimeAmount = .microseconds(50),
    clock: (() -> NIODeadline)? = nil
  ) {
    self.eventLoop = eventLoop
    self.turn = turn
    self.clock = clock ?? { eventLoop.now }
  }

  /// Somebody begins to work without having waited.
  func begin() {
    guard !self.isServing else { return }
    self.done = 0
    self.endsAt = .distantFuture
  }

  /// Whether who is at work may do another piece; asked before each.
  func mayGoOn() -> Bool {
    self.done += 1
    guard self.isServing || self.done > Self.little else { return true }
    guard self.isServing || self.waiting.isEmpty else { return false }
    let now = self.clock()
    if self.endsAt == .distantFuture { self.endsAt = now + self.turn }
    return now < self.endsAt
  }

  /// Somebody is left with something to do, if it is still there when its turn comes.
  func wait(_ taker: any TurnTaker) {
    self.waiting.append(Waiting(taker: taker))
    if !self.isServing { self.schedule() }
  }

  private func schedule() {
    guard !self.isScheduled, !self.waiting.isEmpty else { return }
    self.isScheduled = true
    self.eventLoop.assumeIsolated().scheduleTask(in: Self.rest) { [weak self] in self?.serve() }
  }

  /// All who wait share one turn's time, so that the loop is never away for longer, however many they are.
  private func serve() {
    self.isScheduled = false
    self.isServing = true
    self.done = 0
    self.endsAt = self.clock() + self.turn
    repeat {
      guard let next = self.waiting.popFirst() else { break }
      next.taker?.takeTurn()
    } while self.clock() < self.endsAt
    self.isServing = false
    self.schedule()
  }
}

@available(*, unavailable)
extension SharedTurns: Sendable {}
