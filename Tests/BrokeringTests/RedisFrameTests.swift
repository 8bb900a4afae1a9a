import NIOCore
import Testing
import Wire

@testable import Brokering

struct RedisFrameTests {
  @Test func readsMessages() throws {
    let frame = ByteBuffer(string: "Mk3f9x2ab 1042 1790000000000 3\nada{\"a\":1}")
    guard case .message(let message) = try #require(RedisFrame.parse(frame)) else {
      Issue.record("no message")
      return
    }
    #expect(message.cursor == Cursor("k3f9x2ab.1042"))
    #expect(message.user == "ada")
    #expect(message.time == 1_790_000_000_000)
    #expect(message.data == ByteBuffer(string: "{\"a\":1}"))
  }

  @Test func membersGoThere() throws {
    for member in [
      Member(id: "m1", user: "ada", info: ByteBuffer(string: "{\"x\":\"\\n\"}"), since: 5),
      Member(id: "m2", user: "", since: -1), Member(id: "", since: 0),
    ] {
      let record = RedisFrame.record(member)
      #expect(RedisFrame.member(record) == member)
      var join = ByteBuffer(string: "J")
      join.writeImmutableBuffer(record)
      guard case .join(member) = try #require(RedisFrame.parse(join)) else {
        Issue.record("\(member)")
        continue
      }
    }
  }

  @Test(arguments: [
    "", "M", "X1 2\n", "Mk3f9x2ab 1 1 5\nab", "Mk3f9x2ab 0 1 -1\n1", "Mk3f9x2ab -1 1 -1\n1",
    "MK3f9x2ab 1 1 -1\n1",
    "Mk3f9x2ab 1 1", "Mk3f9x2ab 1  1 -1\n1", "Mk3f9x2ab 9999999999999999999 1 -1\n1",
    "Mk3f9x2ab 9007199254740993 1 -1\n1",
    "E-", "E1 99\nx",
    "J1 2 3\n",
    "J1 9 -1 -1\nabc", "L1 1 1 9\nabc", "J1 -1 -1 -1\n",
  ])
  func refusesWhatIsNone(text: String) {
    if let item = RedisFrame.parse(ByteBuffer(string: text)) { Issue.record("\(item)") }
  }

  @Test func aProbeThatDoesNotComeIsMissed() {
    let start = NIODeadline.uptimeNanoseconds(0)
    var probe = RedisProbe()
    let first = probe.take()
    probe.published(first, now: start)
    #expect(!probe.isHeard)
    #expect(!probe.isMissing(now: start + .seconds(3), after: .seconds(3)))
    #expect(probe.isMissing(now: start + .seconds(4), after: .seconds(3)))
    probe.arrived(first)
    #expect(probe.isHeard)
    #expect(!probe.isMissing(now: start + .seconds(9), after: .seconds(3)))
    // It may come before the answer to its publication does.
    let second = probe.take()
    probe.arrived(second)
    probe.published(second, now: start)
    #expect(!probe.isMissing(now: start + .seconds(9), after: .seconds(3)))
    // Of what was published over a lost link nothing is expected, and it proves nothing.
    let third = probe.take()
    probe.lost()
    probe.published(third, now: start)
    probe.arrived(third)
    #expect(!probe.isMissing(now: start + .seconds(9), after: .seconds(3)))
    #expect(!probe.isHeard)
    probe.arrived(probe.take())
    #expect(probe.isHeard)
  }
}
