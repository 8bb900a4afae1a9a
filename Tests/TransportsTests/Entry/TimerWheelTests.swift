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

    func timeCame(_ now: NIODeadline) -> NIODeadline? {
      self.visits.append(now)
      self.onVisit()
      return self.answers.isEmpty ? nil : self.answers.removeFirst()
    }
  }

  let loop = EmbeddedEventLoop()

  private func wheel(slots: Int = 512) -> TimerWheel {
    TimerWheel(eventLoop: self.loop, tick: .milliseconds(250), slots: slots)
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
}
