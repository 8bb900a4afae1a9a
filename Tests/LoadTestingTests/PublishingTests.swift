import NIOCore
import SluiceClient
import Testing
import Wire

@testable import LoadTesting

@Suite struct PublishingTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

  @Test func aStalledPumpOwesEverythingThatWasDue() {
    var schedule = PublishSchedule(from: start, rate: 10, pump: 0, of: 1)
    #expect(schedule.next(at: start)?.number == 0)
    #expect(schedule.next(at: start) == nil)
    // Half a second of nothing: each of those is due at its own time, not now.
    var owed: [TimeAmount] = []
    while let next = schedule.next(at: start + .milliseconds(500)) { owed.append(next.due - start) }
    #expect(owed == [100, 200, 300, 400, 500].map { .milliseconds($0) })
  }

  @Test func pumpsShareASchedule() {
    var numbers: [Int] = []
    var dues: Set<Int64> = []
    for pump in 0..<3 {
      var schedule = PublishSchedule(from: start, rate: 30, pump: pump, of: 3)
      while let next = schedule.next(at: start + .milliseconds(999)) {
        numbers.append(next.number)
        dues.insert((next.due - start).nanoseconds)
      }
    }
    #expect(numbers.sorted() == Array(0..<30))
    #expect(dues.count == 30)
  }

  @Test(arguments: [64, 65, 128, 1_000]) func aPayloadHasItsSizeAndSaysWhenItWasDue(_ size: Int) throws {
    var random = SeededRandom(3)
    let payload = LoadPayload(size: size, using: &random)
    let due = NIODeadline.uptimeNanoseconds(123_456_789_012_345)
    let data = payload.data(due: due, number: 42)
    #expect(data.readableBytes == size)
    let object = try JSONObject(data)
    #expect(object["number"]?.integer == 42)
    #expect(data.withUnsafeReadableBytes { LoadPayload.due(of: $0) } == 123_456_789_012)
    #expect(PayloadIdentity(data) != PayloadIdentity(payload.data(due: due, number: 43)))
  }

  @Test func whatIsNoPayloadHasNoTime() {
    for text in ["", "1", "{}", #"{"due":"x"}"#, #"[1,2,3,4,5]"#] {
      #expect(ByteBuffer(string: text).withUnsafeReadableBytes { LoadPayload.due(of: $0) } == nil, "\(text)")
    }
  }

  @Test func aWitnessKnowsWhatItHasSeen() {
    let witness = ChannelWitness(LoadCounters(), isTimed: true)
    let epoch = Epoch("aaaaaaaa")!
    let saw = { (offset: UInt64, text: String) in
      ByteBuffer(string: text).withUnsafeReadableBytes { witness.saw(Cursor(epoch, offset), $0) }
    }
    #expect(saw(5, "five") && saw(6, "six") && saw(5, "five"))
    #expect(!saw(5, "other"))
    #expect(saw(3, "three") && saw(9, "nine") && saw(3, "three"))
    #expect(!saw(9, "neun"))
    #expect(!saw(1 << 40, "far away"))
    #expect(witness.seen.count == 1 && witness.seen[0].first == 3)
    #expect(witness.seen[0].identities.map { $0 != 0 } == [true, false, true, true, false, false, true])
  }

  @Test func theCheckerHoldsAWitnessAgainstTheLog() {
    let channel = ChannelName("room")!
    let epoch = Epoch("aaaaaaaa")!
    var checker = DeliveryChecker()
    for offset in UInt64(1)...3 {
      checker.acknowledged(channel, Cursor(epoch, offset), PayloadIdentity(value: offset))
    }
    checker.seen(channel, epoch, from: 1, [1, 9, 3, 4])
    var track = ChannelTrack(channel: channel)
    track.record(.started(at: Cursor(epoch, 0)))
    for offset in UInt64(1)...4 { track.record(Cursor(epoch, offset), nil) }
    checker.check(DeliveryJournal(subscriber: "s", transport: .webSocket, tracks: [track]))
    let verdict = checker.verdict()
    #expect(verdict.counts == [.wrongPayload: 1], "\(verdict)")
    #expect(verdict.deliveries == 4)
  }

  @Test func aSubscriberThatDifferedFromAWitnessIsAFinding() {
    let channel = ChannelName("room")!
    let epoch = Epoch("aaaaaaaa")!
    var track = ChannelTrack(channel: channel)
    track.record(.started(at: Cursor(epoch, 0)))
    track.record(Cursor(epoch, 1), nil)
    track.record(.differed(at: Cursor(epoch, 1)))
    track.record(Cursor(epoch, 2), nil)
    var checker = DeliveryChecker()
    checker.check(DeliveryJournal(subscriber: "s", transport: .webSocket, tracks: [track]))
    #expect(checker.verdict().counts == [.wrongPayload: 1])
  }
}
