import Foundation
import LoadTesting
import SluiceClient
import Testing
import Wire

/// How several processes play one run.
@Suite struct LoadHubTests {
  private func told(_ actions: [LoadHub.Action]) -> [HubWord] {
    actions.compactMap { if case .tellAll(let word) = $0 { word } else { nil } }
  }

  private func page(_ channel: String, first: UInt64 = 1, _ identities: [String]) -> LedgerPage {
    let epoch = Epoch("aaaaaaaa")!
    let entries = identities.enumerated().compactMap { index, text in
      UInt64(text, radix: 16).map {
        (ChannelName(channel)!, Cursor(epoch, first + UInt64(index)), PayloadIdentity(value: $0))
      }
    }
    return LedgerPage.pages(of: entries)[0]
  }

  @Test func allWaitForTheLast() {
    var hub = LoadHub(workers: 3)
    #expect(told(hub.heard(.waits(.connected), from: 0)).isEmpty)
    #expect(told(hub.heard(.waits(.connected), from: 2)).isEmpty)
    #expect(told(hub.heard(.waits(.connected), from: 1)) == [.goOn(.connected)])
    // The next meeting is another.
    #expect(told(hub.heard(.waits(.warm), from: 1)).isEmpty)
    #expect(told(hub.heard(.waits(.warm), from: 0)).isEmpty)
    #expect(told(hub.heard(.waits(.warm), from: 2)) == [.goOn(.warm)])
  }

  @Test func eachLearnsWhatAllPublished() {
    var hub = LoadHub(workers: 2)
    let (first, second) = (page("room:a", ["1", "-", "3"]), page("room:a", first: 2, ["2"]))
    #expect(told(hub.heard(.published([first]), from: 0)).isEmpty)
    #expect(told(hub.heard(.published([second]), from: 1)) == [.published([first, second])])
  }

  /// Ended early, one may not have begun to publish.
  @Test func whoComesToItsEndIsNotWaitedFor() {
    var hub = LoadHub(workers: 2)
    let result = LoadResult(scenario: "fanout", plan: [], startedMs: 0, elapsedS: 1)
    #expect(told(hub.heard(.published([page("room:a", ["1"])]), from: 0)).isEmpty)
    #expect(told(hub.heard(.result(result), from: 1)).count == 1)
    let end = hub.heard(.result(result), from: 0)
    guard case .done(let joined)? = end.first else {
      Issue.record("no result: \(end)")
      return
    }
    #expect(joined.driver.processes == 2)
  }

  @Test func whatAllSayIsPassedOnOnce() {
    var hub = LoadHub(workers: 2)
    let mark = LoadMark(atS: 0, kind: .phase, text: "measuring begins")
    #expect(hub.heard(.mark(mark), from: 0).count == 1)
    #expect(hub.heard(.mark(mark), from: 1).isEmpty)
    #expect(hub.heard(.phase("connecting"), from: 1).count == 1)
    #expect(hub.heard(.phase("connecting"), from: 0).isEmpty)
  }

  @Test func samplesAreSummedOnTheBeatOfTheFirst() {
    var hub = LoadHub(workers: 2)
    var sample = LoadSample(atS: 3.01)
    sample.connected = 40
    sample.delivered = 100
    var totals = LoadTotals()
    totals.deliveries = 300
    #expect(hub.heard(.sample(sample, totals, expected: 10), from: 1).isEmpty)
    sample.atS = 2.99
    guard
      case .sample(let sum, let all, let expected)? = hub.heard(
        .sample(sample, totals, expected: 10),
        from: 0
      ).first
    else {
      Issue.record("no sample")
      return
    }
    #expect(sum.atS == 2.99)
    #expect(sum.connected == 80)
    #expect(sum.delivered == 200)
    #expect(all.deliveries == 600)
    #expect(expected == 10)
  }

  @Test func oneThatDiesEndsTheRun() {
    var hub = LoadHub(workers: 2)
    guard case .failed(let reason)? = hub.ended(1, "ended before its time").first else {
      Issue.record("nobody noticed")
      return
    }
    #expect(reason == "process 2 of 2 ended before its time")
    #expect(hub.heard(.waits(.connected), from: 0).isEmpty)
  }

  @Test func wordsAreTheSameAfterTheirWay() throws {
    let result = try SampleResult.read()
    guard case .result(let again) = try WorkerWord(line: WorkerWord.result(result).line()) else {
      Issue.record("another word")
      return
    }
    #expect(try again.json() == result.json())
    let word = HubWord.published([page("room:a", first: 7, ["ffffffffffffffff", "-", "0"])])
    #expect(try HubWord(line: word.line()) == word)
  }

  @Test func aPageHoldsWhatWasPutOnIt() throws {
    let found = try #require(page("room:a", first: 7, ["ffffffffffffffff", "-", "1"]).entries)
    #expect(found.map(\.cursor.offset) == [7, 9])
    #expect(found.map(\.identity.value) == [.max, 1])
    var broken = page("room:a", ["1"])
    broken.epoch = "no"
    #expect(broken.entries == nil)
  }

  @Test func linesAreCutHoweverTheyCome() {
    let text = "one\ntwo\n\nthree"
    for size in 1...text.utf8.count {
      var cutter = LineCutter()
      var lines: [String] = []
      let bytes = Array(text.utf8)
      for start in stride(from: 0, to: bytes.count, by: size) {
        let part = Data(bytes[start..<min(start + size, bytes.count)])
        lines += cutter.cut(part).map { String(decoding: $0, as: UTF8.self) }
      }
      #expect(lines == ["one", "two", ""])
      #expect(cutter.cut(Data("\n".utf8)).map { String(decoding: $0, as: UTF8.self) } == ["three"])
    }
  }

  @Test(arguments: [1, 2, 3, 7])
  func stripesAreAllOfIt(_ count: Int) {
    let stripes = (0..<count).map { LoadStripe(index: $0, count: count) }
    for total in [0, 1, 5, 100, 101] {
      #expect(stripes.map { $0.share(of: total) }.reduce(0, +) == total)
    }
  }
}
