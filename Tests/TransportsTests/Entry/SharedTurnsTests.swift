import NIOCore
import NIOEmbedded
import Testing

@testable import Transports

/// Work that takes time, by a clock that goes on only when it is looked at.
final class Work {
  var takes = TimeAmount.zero
  private var now = NIODeadline.uptimeNanoseconds(0)

  func turns(on loop: any EventLoop) -> SharedTurns {
    SharedTurns(eventLoop: loop, turn: .microseconds(100)) {
      self.now = self.now + self.takes
      return self.now
    }
  }
}

struct SharedTurnsTests {
  private final class Worker: TurnTaker {
    let turns: SharedTurns
    var left: Int
    var done: [Int] = []
    var onPiece: () -> Void = {}

    init(_ turns: SharedTurns, pieces: Int) {
      self.turns = turns
      self.left = pieces
    }

    /// Works without having waited.
    func come() {
      self.turns.begin()
      self.takeTurn()
    }

    func takeTurn() {
      self.done.append(0)
      while self.left > 0 {
        guard self.turns.mayGoOn() else { return self.turns.wait(self) }
        self.left -= 1
        self.done[self.done.count - 1] += 1
        self.onPiece()
      }
    }
  }

  let loop = EmbeddedEventLoop()
  let work = Work()

  private func pass() { self.loop.advanceTime(by: .microseconds(100)) }

  @Test func whoHasLittleToDoNeverWaits() {
    self.work.takes = .seconds(1)
    let turns = self.work.turns(on: self.loop)
    let greedy = Worker(turns, pieces: 1_000)
    greedy.come()
    for _ in 0..<100 {
      let modest = Worker(turns, pieces: 2)
      modest.come()
      #expect(modest.done == [2])
    }
    #expect(greedy.left > 0)
    self.work.takes = .zero
    self.pass()
    #expect(greedy.left == 0)
  }

  @Test func whoHasMuchToDoDoesItBitByBit() {
    self.work.takes = .microseconds(30)
    let turns = self.work.turns(on: self.loop)
    let greedy = Worker(turns, pieces: 100)
    greedy.come()
    for _ in 0..<200 where greedy.left > 0 { self.pass() }
    #expect(greedy.left == 0)
    #expect(greedy.done.dropFirst().allSatisfy { (1...4).contains($0) } && greedy.done[0] <= 8)
  }

  @Test func whatTakesNoTimeIsDoneAtOnce() {
    let greedy = Worker(self.work.turns(on: self.loop), pieces: 10_000)
    greedy.come()
    #expect(greedy.done == [10_000])
  }

  /// However many wait, and whoever came first.
  @Test func thoseWhoWaitTakeTurns() {
    self.work.takes = .microseconds(30)
    let turns = self.work.turns(on: self.loop)
    let workers = (0..<10).map { _ in Worker(turns, pieces: 60) }
    for worker in workers { worker.come() }
    #expect(workers.dropFirst().allSatisfy { $0.done == [2] })
    var (passes, before) = (0, workers.map(\.left).reduce(0, +))
    while before > 0, passes < 2_000 {
      self.pass()
      passes += 1
      let left = workers.map(\.left)
      #expect((1...4).contains(before - left.reduce(0, +)))
      #expect(left.max()! - left.min()! <= 16)
      before = left.reduce(0, +)
    }
    #expect(before == 0)
  }

  @Test func whoComesAmidOthersWorkWaitsWithThem() {
    self.work.takes = .microseconds(30)
    let turns = self.work.turns(on: self.loop)
    let (first, second) = (Worker(turns, pieces: 40), Worker(turns, pieces: 40))
    first.come()
    first.onPiece = {
      first.onPiece = {}
      second.come()
    }
    for _ in 0..<200 where first.left + second.left > 0 { self.pass() }
    #expect(first.left == 0 && second.left == 0)
  }
}
