import NIOCore
import NIOEmbedded
import Testing

@testable import Transports

struct TimerWheelTests {
  private final class Rider: TimerWheelRider {
    var wheelPlace = TimerWheel.Place()
    var visits: [NIODeadline] = []
    var answers: [NIODeadline] = []
    var onVisit: () -> Void = {}
    let isByTheWorldsTime: Bool

    init(byTheWorldsTime: Bool = false) { self.isByTheWorldsTime = byTheWorldsTime }

    func timeCame(_ now: NIODeadline) -> NIODeadline? {
      self.visits.append(now)
      self.onVisit()
      return self.answers.isEmpty ? nil : self.answers.removeFirst()
    }
  }

  let loop = EmbeddedEventLoop()
  let pauses = Pauses()

  /// What a clock has gone on by while the loop stood still.
  final class Pauses {
    var sum = TimeAmount.zero
  }

  private func wheel(slots: Int = 512) -> TimerWheel {
    let (loop, pauses) = (self.loop, self.pauses)
    return TimerWheel(eventLoop: loop, tick: .milliseconds(250), slots: slots) { loop.now + pauses.sum }
  }

  @Test(arguments: [0, 1, 249, 250, 251, 999, 10_000, 127_000, 127_750, 128_000, 500_000])
  func comesNeverEarlyAndAtMostATickLate(milliseconds: Int64) {
    let wheel = self.wheel()
    let rider = Rider()
    let deadline = self.loop.now + .milliseconds(milliseconds)
    // Who lies beyond the horizon is looked at on the way, and says so.
    rider.answers = Array(repeating: deadline, count: Int(milliseconds / 127_750))
    wheel.arm(rider, at: deadline)
    self.loop.advanceTime(by: .milliseconds(milliseconds + 250))
    #expect(rider.visits.count == Int(milliseconds / 127_750) + 1 || milliseconds % 127_750 == 0)
    #expect(rider.visits.last.map { $0 >= deadline && $0 <= deadline + .milliseconds(250) } == true)
    #expect(wheel.count == 0)
  }

  @Test func forgetsWhoLeaves() {
    let wheel = self.wheel()
    let riders = (0..<5).map { _ in Rider() }
    for rider in riders { wheel.arm(rider, at: self.loop.now + .seconds(1)) }
    wheel.disarm(riders[1])
    wheel.disarm(riders[4])
    wheel.disarm(riders[4])
    wheel.arm(riders[0], at: self.loop.now + .seconds(2))
    #expect(wheel.count == 3)
    self.loop.advanceTime(by: .milliseconds(1250))
    #expect(riders.map(\.visits.count) == [0, 0, 1, 1, 0])
    self.loop.advanceTime(by: .seconds(1))
    #expect(riders.map(\.visits.count) == [1, 0, 1, 1, 0])
  }

  @Test func forgetsWhoIsTakenOutByOneBeforeIt() {
    let wheel = self.wheel()
    let riders = (0..<3).map { _ in Rider() }
    for rider in riders { wheel.arm(rider, at: self.loop.now + .seconds(1)) }
    riders[1].answers = [self.loop.now + .seconds(2)]
    defer { riders[0].onVisit = {} }
    riders[0].onVisit = {
      #expect(!riders[0].wheelPlace.isArmed && riders[1].wheelPlace.isArmed && wheel.count == 2)
      wheel.disarm(riders[1])
      wheel.disarm(riders[1])
      #expect(!riders[1].wheelPlace.isArmed && wheel.count == 1)
    }
    self.loop.advanceTime(by: .seconds(5))
    #expect(riders.map(\.visits.count) == [1, 0, 1])
    #expect(wheel.count == 0)
  }

  @Test func looksLaterAtWhoIsArmedAgainByOneBeforeIt() {
    let wheel = self.wheel()
    let riders = (0..<3).map { _ in Rider() }
    let start = self.loop.now
    for rider in riders { wheel.arm(rider, at: start + .seconds(1)) }
    defer { riders[0].onVisit = {} }
    riders[0].onVisit = {
      wheel.arm(riders[1], at: start + .seconds(3))
      #expect(wheel.count == 2)
    }
    self.loop.advanceTime(by: .seconds(2))
    #expect(riders.map(\.visits.count) == [1, 0, 1])
    #expect(wheel.count == 1)
    self.loop.advanceTime(by: .seconds(2))
    #expect(riders[1].visits == [start + .seconds(3)])
    #expect(wheel.count == 0)
  }

  @Test func looksAgainWhenTold() {
    let wheel = self.wheel()
    let rider = Rider()
    let start = self.loop.now
    rider.answers = [start + .seconds(3), start + .seconds(4)]
    wheel.arm(rider, at: start + .seconds(1))
    self.loop.advanceTime(by: .seconds(10))
    #expect(rider.visits == [start + .seconds(1), start + .seconds(3), start + .seconds(4)])
  }

  @Test func restsWhileNobodyRidesAndStartsAgain() {
    let wheel = self.wheel()
    let rider = Rider()
    wheel.arm(rider, at: self.loop.now + .seconds(1))
    self.loop.advanceTime(by: .seconds(2))
    let still = wheel.now
    self.loop.advanceTime(by: .seconds(60))
    #expect(wheel.now == still)
    let start = self.loop.now
    wheel.arm(rider, at: start + .seconds(1))
    self.loop.advanceTime(by: .milliseconds(750))
    #expect(rider.visits.count == 1)
    self.loop.advanceTime(by: .milliseconds(500))
    #expect(rider.visits.count == 2)
  }

  // MARK: pauses

  @Test(arguments: [2, 60, 100_000])
  func aPauseCostsNobodyTime(seconds: Int64) {
    let wheel = self.wheel()
    let (soon, later) = (Rider(), Rider())
    let start = self.loop.now
    wheel.arm(soon, at: start + .milliseconds(1_100))
    wheel.arm(later, at: start + .seconds(5))
    // Once looked at it is given three seconds more.
    defer { soon.onVisit = {} }
    soon.onVisit = { soon.answers = soon.visits.count == 1 ? [wheel.time + .seconds(3)] : [] }
    self.loop.advanceTime(by: .seconds(1))
    self.pauses.sum = .seconds(seconds)
    // Whoever is due at once is so when there was time to read what has come.
    self.loop.advanceTime(by: .seconds(1))
    #expect(soon.visits.isEmpty)
    self.loop.advanceTime(by: .milliseconds(500))
    #expect(soon.visits == [start + .milliseconds(1_250)])
    self.loop.advanceTime(by: .milliseconds(1_500))
    #expect(soon.visits.count == 1 && later.visits.isEmpty)
    self.loop.advanceTime(by: .seconds(2))
    #expect(soon.visits.count == 2 && later.visits == [start + .seconds(5)])
    #expect(wheel.count == 0)
  }

  @Test func theWorldsTimePassesInAPause() {
    let wheel = self.wheel()
    let riders = [30, 100, 200].map { (seconds: Int64) in
      let rider = Rider(byTheWorldsTime: true)
      wheel.arm(rider, at: self.loop.now + .seconds(seconds))
      return rider
    }
    // It lies beyond what the wheel can tell apart.
    riders[2].answers = [self.loop.now + .seconds(200) - .seconds(61)]
    self.loop.advanceTime(by: .seconds(1))
    self.pauses.sum = .seconds(60)
    self.loop.advanceTime(by: .milliseconds(1_500))
    #expect(riders.map(\.visits.count) == [1, 0, 0])
    self.loop.advanceTime(by: .seconds(37))
    #expect(riders.map(\.visits.count) == [1, 0, 0])
    self.loop.advanceTime(by: .seconds(1))
    #expect(riders.map(\.visits.count) == [1, 1, 0])
    self.loop.advanceTime(by: .seconds(100))
    #expect(riders.map(\.visits.count) == [1, 1, 2])
  }

  /// Such as a busy loop brings all the time.
  @Test func aSmallDelayIsNoPause() {
    let wheel = self.wheel()
    let rider = Rider()
    let start = self.loop.now
    wheel.arm(rider, at: start + .seconds(20))
    for _ in 0..<10 {
      self.loop.advanceTime(by: .seconds(1))
      self.pauses.sum = self.pauses.sum + .milliseconds(500)
    }
    self.loop.advanceTime(by: .milliseconds(4_500))
    #expect(rider.visits.isEmpty)
    self.loop.advanceTime(by: .milliseconds(750))
    #expect(rider.visits == [start + .seconds(20)])
  }

  @Test func aLoopThatIsAlwaysLateGoesOnAllTheSame() {
    let wheel = self.wheel()
    let rider = Rider()
    wheel.arm(rider, at: self.loop.now + .seconds(10))
    var turns = 0
    while rider.visits.isEmpty, turns < 100 {
      turns += 1
      self.pauses.sum = self.pauses.sum + .seconds(5)
      self.loop.advanceTime(by: .milliseconds(250))
    }
    // It reads at least that often before it judges.
    #expect((10..<100).contains(turns))
  }

  /// What is read after a pause may come before the wheel has noticed that.
  @Test func whoIsArmedInAPauseIsNotForgotten() {
    let wheel = self.wheel()
    let (rider, other) = (Rider(), Rider())
    wheel.arm(other, at: self.loop.now + .minutes(2))
    self.loop.advanceTime(by: .seconds(1))
    self.pauses.sum = .hours(1)
    #expect(wheel.time == self.loop.now + .seconds(1))
    wheel.arm(rider, at: wheel.time + .seconds(1))
    self.loop.advanceTime(by: .seconds(1))
    #expect(rider.visits.isEmpty)
    self.loop.advanceTime(by: .milliseconds(2_500))
    #expect(rider.visits.count == 1)
    // A wheel that rests loses nothing.
    wheel.disarm(other)
    self.loop.advanceTime(by: .seconds(1))
    self.pauses.sum = .hours(2)
    wheel.arm(rider, at: wheel.time + .seconds(1))
    self.loop.advanceTime(by: .milliseconds(1_250))
    #expect(rider.visits.count == 2)
  }

  // MARK: turns

  /// The loop reads between them.
  @Test func manyAreLookedAtBitByBit() {
    let work = Work()
    work.takes = .microseconds(20)
    let loop = self.loop
    let wheel = TimerWheel(eventLoop: loop, turns: work.turns(on: loop))
    let riders = (0..<1_000).map { _ in Rider() }
    for rider in riders { wheel.arm(rider, at: loop.now + .milliseconds(200)) }
    loop.advanceTime(by: .milliseconds(250))
    func looked() -> Int { riders.count { $0.visits.count == 1 } }
    #expect((1..<10).contains(looked()))
    // Those before them may take them out.
    wheel.disarm(riders[998])
    wheel.arm(riders[999], at: loop.now + .seconds(10))
    var before = looked()
    for _ in 0..<1_000 where looked() < 998 {
      loop.advanceTime(by: .microseconds(100))
      #expect((1..<10).contains(looked() - before))
      before = looked()
    }
    #expect(before == 998 && wheel.count == 1)
    loop.advanceTime(by: .seconds(11))
    #expect(riders[998].visits.isEmpty && riders[999].visits.count == 1)
  }

  /// Those left are looked at as quickly as ever, once there was time to read.
  @Test func aPauseAmidManyDelaysTheOthersOnce() {
    let work = Work()
    work.takes = .microseconds(20)
    let (loop, pauses) = (self.loop, self.pauses)
    let wheel = TimerWheel(eventLoop: loop, turns: work.turns(on: loop)) { loop.now + pauses.sum }
    let riders = (0..<1_000).map { _ in Rider() }
    for rider in riders { wheel.arm(rider, at: loop.now + .milliseconds(200)) }
    loop.advanceTime(by: .milliseconds(250))
    pauses.sum = .seconds(5)
    loop.advanceTime(by: .milliseconds(900))
    #expect(riders.count { !$0.visits.isEmpty } < 20)
    loop.advanceTime(by: .milliseconds(300))
    #expect(riders.allSatisfy { $0.visits.count == 1 })
  }
}
