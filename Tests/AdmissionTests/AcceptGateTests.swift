import Admission
import NIOCore
import Testing

@Suite struct AcceptGateTests {
  private let start = NIODeadline.uptimeNanoseconds(9_000_000_000)

  private func milliseconds(_ count: Int) -> TimeAmount { .milliseconds(Int64(count)) }

  @Test func theBurstComesInAtOnceAndTheRestInTurn() {
    let gate = AcceptGate(rate: 10, burst: 5)
    for _ in 0..<5 { #expect(gate.knock(now: start) == .enter) }
    // Each is told another tenth of a second.
    for turn in 1...20 {
      let late = 0.1 * (1e8 + Double(turn) * 1e7)
      #expect(
        gate.knock(now: start, chance: { 0.1 }) == .comeBack(afterMS: turn * 100 + Int(late / 1e6 + 0.999))
      )
    }
    #expect(gate.isBusy(now: start))
    #expect(gate.queueSeconds(now: start) == 2.1)
    #expect(!gate.isBusy(now: start + .seconds(3)))
  }

  @Test func itFillsAtTheRate() {
    let gate = AcceptGate(rate: 100, burst: 10)
    var entered = 0
    for tick in 0..<5_000 where gate.knock(now: start + milliseconds(tick)) == .enter { entered += 1 }
    #expect((508...511).contains(entered))
  }

  @Test func itHoldsNoMoreThanTheBurst() {
    let gate = AcceptGate(rate: 100, burst: 10)
    let later = start + .hours(5)
    let entered = (0..<100).count { _ in gate.knock(now: later) == .enter }
    #expect(entered == 10)
  }

  /// Clients that do as they are told, some late, are all let in within the time that their number takes, and no
  /// second sees more than the rate and the burst.
  @Test(arguments: [(3_000, 500.0, 500), (3_000, 200.0, 50), (10_000, 1_000.0, 5_000), (60, 5.0, 5)])
  func aCrowdIsServedInBoundedTime(_ count: Int, _ rate: Double, _ burst: Int) {
    let gate = AcceptGate(rate: rate, burst: burst)
    var generator = SystemRandomNumberGenerator()
    // By the millisecond: how many come.
    var coming = [0: count]
    var enteredAt: [Int] = []
    var knocks = 0
    for millisecond in 0..<600_000 {
      guard let here = coming.removeValue(forKey: millisecond) else {
        if coming.isEmpty { break }
        continue
      }
      for _ in 0..<here {
        knocks += 1
        switch gate.knock(now: start + milliseconds(millisecond)) {
        case .enter: enteredAt.append(millisecond)
        case .comeBack(let wait):
          // The network, and clocks that count whole seconds.
          let late = Int.random(in: 0...300, using: &generator)
          let told = Bool.random() ? (wait + 999) / 1_000 * 1_000 : wait
          coming[millisecond + max(1, told + late), default: 0] += 1
        }
      }
    }
    #expect(enteredAt.count == count)
    let needed = Double(count - burst) / rate
    #expect(Double(enteredAt.last!) / 1_000 <= needed * 1.4 + 4, "\(enteredAt.last!) ms")
    #expect(knocks <= count * 3, "\(knocks) knocks")
    var first = 0
    for (index, time) in enteredAt.enumerated() {
      while enteredAt[first] <= time - 1_000 { first += 1 }
      #expect(Double(index - first + 1) <= rate + Double(burst) + 1)
    }
  }

  @Test func nobodyIsSentAwayForLongerThanAMinuteOrSo() {
    let gate = AcceptGate(rate: 1, burst: 1)
    #expect(gate.knock(now: start) == .enter)
    for _ in 0..<1_000 {
      guard case .comeBack(let wait) = gate.knock(now: start) else {
        Issue.record("there is no room")
        return
      }
      #expect((0...62_000).contains(wait))
    }
  }

  @Test func anotherRateKeepsWhatWasTaken() {
    let gate = AcceptGate(rate: 100, burst: 10)
    for _ in 0..<10 { #expect(gate.knock(now: start) == .enter) }
    gate.setRate(10, now: start)
    #expect(gate.rate == 10)
    #expect(gate.knock(now: start + .milliseconds(99)) != .enter)
    #expect(gate.knock(now: start + .milliseconds(100)) == .enter)
    gate.setRate(1_000, now: start + .milliseconds(100))
    #expect(gate.knock(now: start + .milliseconds(101)) == .enter)
    #expect(gate.knock(now: start + .milliseconds(101)) != .enter)
  }

  @Test func loopsShareItWithoutLosingCount() async {
    let gate = AcceptGate(rate: 1, burst: 1_000)
    let now = start
    let entered = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        group.addTask { (0..<1_000).count { _ in gate.knock(now: now) == .enter } }
      }
      return await group.reduce(0, +)
    }
    #expect(entered == 1_000)
  }

  /// Those whom a drain sends are not to come on top of those who wait; but a drain is never stopped by them.
  @Test func aNodeWithAQueueSparesLess() {
    #expect(AcceptScale.spare(queueSeconds: 0) == 1)
    #expect(AcceptScale.spare(queueSeconds: 2.5) == 0.5)
    #expect(AcceptScale.spare(queueSeconds: 4.9) == AcceptScale.least)
    #expect(AcceptScale.spare(queueSeconds: 60) == AcceptScale.least)
  }

  @Test func aBusyNodeTakesLess() {
    #expect(AcceptScale.factor(lagMS: 0, memory: 0) == 1)
    #expect(AcceptScale.factor(lagMS: 20, memory: 0.8) == 1)
    #expect(AcceptScale.factor(lagMS: 40, memory: 0.5) == 0.5)
    #expect(AcceptScale.factor(lagMS: 5_000, memory: 0.5) == AcceptScale.least)
    #expect(abs(AcceptScale.factor(lagMS: 0, memory: 0.875) - 0.55) < 0.001)
    #expect(AcceptScale.factor(lagMS: 0, memory: 1.5) == AcceptScale.least)
  }
}
