import Admission
import NIOCore
import Testing

@Suite struct SendingLimitsTests {
  private let start = NIODeadline.uptimeNanoseconds(5_000_000_000)

  @Test func zeroIsWithoutLimit() {
    let limits = SendingLimits(messages: 0, bytes: 0, subscribes: 0)
    var meter = SendingMeter()
    for _ in 0..<100_000 {
      #expect(meter.bytesArrived(1 << 20, limits, now: start) == .accepted)
      #expect(meter.messageArrived(limits, now: start) == .accepted)
      #expect(meter.subscribeArrived(limits, now: start) == .accepted)
    }
  }

  @Test func aBurstIsTakenThenRefusedThenItOffends() {
    let limits = SendingLimits(messages: 100, bytes: 0, subscribes: 0)
    var meter = SendingMeter()
    for _ in 0..<500 { #expect(meter.messageArrived(limits, now: start) == .accepted) }
    for _ in 0..<500 {
      #expect(meter.messageArrived(limits, now: start) == .refused(.messages, afterMS: 1_000))
    }
    #expect(meter.messageArrived(limits, now: start) == .offends)
  }

  @Test func whoWaitsAsToldIsNeverAnOffender() {
    let limits = SendingLimits(messages: 100, bytes: 0, subscribes: 0)
    var meter = SendingMeter()
    var now = start
    var accepted = 0
    for _ in 0..<20_000 {
      switch meter.messageArrived(limits, now: now) {
      case .accepted: accepted += 1
      case .refused(_, let wait): now = now + .milliseconds(Int64(wait))
      case .offends: Issue.record("an offender who obeyed")
      }
    }
    #expect(accepted > 19_000)
  }

  /// A little over the rate for long is refused a little, and borne.
  @Test func aLittleTooMuchIsBorne() {
    let limits = SendingLimits(messages: 100, bytes: 0, subscribes: 0)
    var meter = SendingMeter()
    var verdicts: [SendingMeter.Verdict] = []
    for tick in 0..<100_000 {
      verdicts.append(meter.messageArrived(limits, now: start + .microseconds(Int64(tick) * 9_500)))
    }
    #expect(!verdicts.contains(.offends))
    #expect(verdicts.count { $0 == .accepted } < 97_000)
  }

  @Test func tooManyBytesRefuseTheMessagesAndThenEndIt() {
    let limits = SendingLimits(messages: 0, bytes: 1_000, subscribes: 0)
    var meter = SendingMeter()
    #expect(meter.bytesArrived(5_000, limits, now: start) == .accepted)
    #expect(meter.messageArrived(limits, now: start) == .accepted)
    #expect(meter.bytesArrived(2_000, limits, now: start) == .accepted)
    #expect(meter.messageArrived(limits, now: start) == .refused(.bytes, afterMS: 2_000))
    #expect(meter.messageArrived(limits, now: start + .seconds(2)) == .accepted)
    #expect(meter.bytesArrived(5_000, limits, now: start + .seconds(2)) == .accepted)
    #expect(meter.bytesArrived(1, limits, now: start + .seconds(2)) == .offends)
  }

  /// A message in many frames is as many messages.
  @Test func fragmentsCostAsMessagesDo() {
    let limits = SendingLimits(messages: 100, bytes: 0, subscribes: 0)
    var meter = SendingMeter()
    #expect(meter.fragmentsArrived(499, limits, now: start) == .accepted)
    #expect(meter.messageArrived(limits, now: start) == .accepted)
    #expect(meter.messageArrived(limits, now: start) == .refused(.messages, afterMS: 1_000))
    #expect(meter.fragmentsArrived(500, limits, now: start) == .accepted)
    #expect(meter.messageArrived(limits, now: start) == .refused(.messages, afterMS: 5_010))
    #expect(meter.fragmentsArrived(1, limits, now: start) == .offends)
    #expect(meter.messageArrived(limits, now: start + .seconds(6)) == .accepted)
    var free = SendingMeter()
    #expect(free.fragmentsArrived(1_000_000, SendingLimits(), now: start) == .accepted)
  }

  @Test func subscribesHaveTheirOwnRate() {
    let limits = SendingLimits(messages: 1_000, bytes: 0, subscribes: 10)
    var meter = SendingMeter()
    for _ in 0..<50 { #expect(meter.subscribeArrived(limits, now: start) == .accepted) }
    #expect(meter.subscribeArrived(limits, now: start) == .refused(.subscribes, afterMS: 1_000))
    #expect(meter.messageArrived(limits, now: start) == .accepted)
  }
}
