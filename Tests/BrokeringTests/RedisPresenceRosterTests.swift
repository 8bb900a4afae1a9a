import NIOCore
import Testing
import Wire

@testable import Brokering

struct RedisPresenceRosterTests {
  private func member(_ id: String) -> Member { Member(id: id, since: 1) }

  /// A roster whose answers are texts.
  private final class Desk {
    private var roster = RedisPresenceRoster()

    var isKnown: Bool { roster.isKnown }
    var count: Int { roster.count }

    func heard(_ item: FeedItem) -> Bool { roster.heard(item) }
    func feedProven() { roster.feedProven() }
    func feedLost() { roster.feedLost() }
    func showed(_ ids: [String]) { roster.showed(ids.map { Member(id: $0, since: 1) }) }
    func readBegan() { roster.readBegan() }
    func read(_ page: [Member]) -> [String] { roster.read(page).map(text) }
    func readEnded(mayReturn: Bool) -> [String] { roster.readEnded(mayReturn: mayReturn).map(text) }

    private func text(_ item: FeedItem) -> String {
      switch item {
      case .join(let member): "+\(member.id)"
      case .leave(let member): "-\(member.id)"
      case .message, .ephemeral: "?"
      }
    }
  }

  private func desk(of ids: [String]) -> Desk {
    let desk = Desk()
    desk.readBegan()
    #expect(desk.read(ids.map(member)) == [])
    #expect(desk.readEnded(mayReturn: false) == [])
    return desk
  }

  @Test func theFirstReadIsNoNews() {
    let roster = desk(of: ["a", "b"])
    #expect(roster.isKnown && roster.count == 2)
  }

  @Test func whatDiffersIsToldOnce() {
    let roster = desk(of: ["a", "b", "c"])
    roster.readBegan()
    #expect(roster.read([member("b"), member("d")]) == ["+d"])
    #expect(roster.readEnded(mayReturn: false) == ["-a", "-c"])
    // The feed was only late.
    #expect(!roster.heard(.leave(member("a"))))
    #expect(roster.heard(.join(member("a"))))
    #expect(roster.heard(.leave(member("a"))))
    roster.readBegan()
    #expect(roster.read([member("b"), member("d")]) == [])
    #expect(roster.readEnded(mayReturn: false) == [])
  }

  @Test func theFeedKnowsBetterThanARead() {
    let roster = desk(of: ["a", "b"])
    roster.readBegan()
    #expect(roster.heard(.leave(member("a"))))
    #expect(roster.heard(.join(member("c"))))
    #expect(roster.read([member("a"), member("b")]) == [])
    #expect(roster.readEnded(mayReturn: false) == [])
    #expect(roster.count == 2)
  }

  @Test func whoMayReturnIsNotTakenForGone() {
    let roster = desk(of: ["a", "b"])
    roster.readBegan()
    #expect(roster.read([member("c")]) == ["+c"])
    #expect(roster.readEnded(mayReturn: true) == [])
    #expect(roster.heard(.join(member("a"))))
    roster.readBegan()
    #expect(roster.read([member("a"), member("c")]) == [])
    #expect(roster.readEnded(mayReturn: false) == ["-b"])
  }

  @Test func aReadThatBeginsAnewForgetsTheOld() {
    let roster = desk(of: ["a", "b"])
    roster.readBegan()
    #expect(roster.read([member("a"), member("b")]) == [])
    roster.readBegan()
    #expect(roster.read([member("b")]) == [])
    #expect(roster.readEnded(mayReturn: false) == ["-a"])
  }

  /// Nobody was read yet: what was heard, and what pages have shown, is what the listeners know.
  @Test func aLossBeforeTheFirstReadEndedIsToldToo() {
    let roster = Desk()
    roster.readBegan()
    #expect(roster.heard(.join(member("a"))))
    #expect(roster.heard(.join(member("b"))))
    roster.showed(["a", "old", "stays"])
    roster.feedLost()
    roster.readBegan()
    #expect(roster.read([member("b"), member("c"), member("stays")]) == ["+c", "+stays"])
    #expect(roster.readEnded(mayReturn: false) == ["-a", "-old"])
    #expect(roster.count == 3)
  }

  /// Joins that the first read has seen may be lost on their way here.
  @Test func whomNobodyHasHeardOfYetIsTold() {
    let roster = desk(of: ["a", "b"])
    #expect(roster.heard(.join(member("a"))))
    roster.feedLost()
    roster.readBegan()
    #expect(roster.read([member("a"), member("b")]) == ["+b"])
    #expect(roster.readEnded(mayReturn: false) == [])
  }

  @Test func whoWasOnlyOnAPageIsToldToBeGone() {
    let roster = desk(of: ["a"])
    roster.feedProven()
    roster.showed(["a", "b", "c"])
    // The feed was only behind the page.
    #expect(roster.heard(.join(member("c"))))
    roster.feedLost()
    roster.readBegan()
    #expect(roster.read([member("a"), member("c")]) == [])
    #expect(roster.readEnded(mayReturn: false) == ["-b"])
  }

  /// Random joins and leaves, of which the feed loses some; after each loss a read of the truth.
  @Test func aListenerAlwaysEndsWithTheTruth() async {
    let first = UInt64.random(in: 0..<(1 << 32))
    print("presence roster: 2000 runs from seed \(first)")
    for seed in first..<(first + 2_000) {
      // Other tests wait for a thread.
      await Task.yield()
      var dice = Dice(state: seed)
      var truth: Set<String> = []
      var told: Set<String> = []
      var roster = RedisPresenceRoster()
      // What was published and not yet heard.
      var underway: [FeedItem] = []
      func tell(_ items: [FeedItem]) {
        for item in items {
          switch item {
          case .join(let member): told.insert(member.id)
          case .leave(let member): told.remove(member.id)
          case .message, .ephemeral: break
          }
        }
      }
      func hear(_ count: Int) {
        let heard = underway.prefix(count)
        underway.removeFirst(heard.count)
        for item in heard where roster.heard(item) { tell([item]) }
      }
      func read() {
        roster.readBegan()
        var pages = stride(from: 0, to: 12, by: 3).map { start in (start..<start + 3).map { "m\($0)" } }
        while !pages.isEmpty {
          change(Int.random(in: 0..<3, using: &dice))
          let page = pages.removeFirst().filter(truth.contains).map(member)
          hear(Int.random(in: 0...underway.count, using: &dice))
          tell(roster.read(page))
        }
        hear(Int.random(in: 0...underway.count, using: &dice))
        tell(roster.readEnded(mayReturn: false))
      }
      func change(_ count: Int) {
        for _ in 0..<count {
          let id = "m\(Int.random(in: 0..<12, using: &dice))"
          if truth.insert(id).inserted {
            underway.append(.join(member(id)))
          } else {
            truth.remove(id)
            underway.append(.leave(member(id)))
          }
        }
      }
      change(6)
      underway = []
      // The listener's own page, after it began to listen, before or after the node's first read.
      let isFirst = Bool.random(using: &dice)
      if !isFirst { read() }
      hear(underway.count)
      roster.showed(truth.map(member))
      told = truth
      if isFirst, Bool.random(using: &dice) { read() }
      for _ in 0..<4 {
        if underway.isEmpty { roster.feedProven() }
        change(Int.random(in: 0..<8, using: &dice))
        if Bool.random(using: &dice) {
          underway = []
          roster.feedLost()
        }
        read()
        if Bool.random(using: &dice) { hear(underway.count) }
      }
      hear(underway.count)
      #expect(told == truth, "seed \(seed)")
      if told != truth { return }
    }
  }
}
