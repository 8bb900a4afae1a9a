import GatewayNode
import NIOCore
import Testing

@Suite struct DrainFollowerTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

  private func node(
    _ state: String,
    _ remaining: Int? = nil,
    pace: String = "0",
    left: Int = 0,
    forced: Int = 0,
    phase: String? = nil
  )
    -> ByteBuffer
  {
    let named = phase.map { #","phase":"\#($0)""# } ?? ""
    let drain = remaining.map {
      #","drain":{"remaining":\#($0),"per_second":\#(pace),"seconds_left":\#(left),"forced":\#(forced)\#(named)}"#
    }
    return ByteBuffer(string: #"{"node":"a","incarnation":"a/1","state":"\#(state)"\#(drain ?? "")}"#)
  }

  private func follower(_ answer: ByteBuffer, to goal: DrainFollower.Goal = .drained) throws -> DrainFollower
  {
    try #require(DrainFollower(answer, to: goal, now: start))
  }

  @Test func itShowsHowFarADrainIs() throws {
    var follower = try follower(node("draining", 200, left: 35))
    #expect(follower.step == .goesOn)
    #expect(follower.path == "/v1/nodes/a%2F1")
    #expect(follower.line == "a: 200 of 200 left, 35s to go")
    #expect(follower.heard(node("draining", 50, pace: "6.5", left: 8, forced: 1), now: start) == .goesOn)
    #expect(follower.line == "a: 50 of 200 left, 7/s, 8s to go, 1 session had to be closed")
    #expect(follower.bar.hasPrefix("[######################--------] a: 50 of 200"))
    #expect(
      follower.heard(node("drained", 0, forced: 2), now: start)
        == .done("a is drained, 2 sessions had to be closed")
    )
  }

  @Test(
    arguments: [
      ("settling", 9, "0", "9 of 9 left, nobody told yet, 4s to go"),
      ("sending_away", 8, "2.5", "8 of 9 left, 3/s, 4s to go"),
      ("sending_away", 8, "0", "8 of 9 left, paused for the other nodes, 4s to go"),
      ("leaving", 2, "0", "2 of 9 left, all told, 4s to go"),
      ("overdue", 1, "0", "1 of 9 left, late ones are closed, 4s to go"),
      ("lingering", 0, "0", "0 of 9 left, presence kept, 4s to go"),
      ("to_come", 7, "0", "7 of 9 left, 4s to go"),
    ]
  )
  func itSaysWhatIsWaitedFor(_ phase: String, _ remaining: Int, _ pace: String, _ line: String) throws {
    var follower = try follower(node("draining", 9))
    _ = follower.heard(node("draining", remaining, pace: pace, left: 4, phase: phase), now: start)
    #expect(follower.line == "a: \(line)")
  }

  @Test func whoStopsAfterItsDrainWasDrained() throws {
    var follower = try follower(node("draining", 1))
    #expect(follower.heard(node("stopped"), now: start) == .done("a is drained and has stopped"))
  }

  @Test(arguments: ["ready", "dead", "starting"])
  func whatIsNotDrainedIsNoSuccess(_ state: String) throws {
    var follower = try follower(node("draining", 1))
    guard case .failed = follower.heard(node(state), now: start) else {
      Issue.record("\(state) is taken for drained")
      return
    }
  }

  @Test(arguments: ["drained", "dead", "stopped"])
  func onlyWhoIsReadyIsUndrained(_ state: String) throws {
    guard case .failed = try follower(node(state), to: .ready).step else {
      Issue.record("\(state) is taken for ready")
      return
    }
    #expect(try follower(node("ready"), to: .ready).step == .done("a is ready"))
    #expect(try follower(node("draining", 1), to: .ready).step == .goesOn)
  }

  @Test func aListenerMayBeAwayForAWhile() throws {
    var follower = try follower(node("draining", 1))
    #expect(follower.lost("gone", now: start + .seconds(14)) == .goesOn)
    #expect(follower.heard(node("draining", 1), now: start + .seconds(14)) == .goesOn)
    #expect(follower.lost("gone", now: start + .seconds(28)) == .goesOn)
    guard case .failed(let reason) = follower.lost("gone", now: start + .seconds(29)) else {
      Issue.record("it waits for ever")
      return
    }
    #expect(reason.hasSuffix("gone"))
  }

  @Test(arguments: ["", "[]", "{}", #"{"node":"a"}"#, #"{"node":"a","incarnation":"?"}"#])
  func otherAnswersAreNoNode(_ text: String) {
    #expect(DrainFollower(ByteBuffer(string: text), to: .drained, now: start) == nil)
  }

  @Test func requestsAreChecked() throws {
    let request = try DrainRequest(node: "gateway-1", over: "2m")
    #expect(request.path == "/v1/nodes/gateway-1/drain")
    #expect(String(buffer: request.body) == #"{"over_seconds":120}"#)
    #expect(String(buffer: try DrainRequest(node: "a/b").body) == "{}")
    #expect(try DrainRequest(node: "a/b").path == "/v1/nodes/a%2Fb/drain")
    for over in ["", "5", "1500ms", "2h", "-1s", "soon"] {
      #expect(throws: DrainRequest.Failure.self, "\(over)") { try DrainRequest(node: "a", over: over) }
    }
    for node in ["", "a b", "a/b/c", "/", "ä"] {
      #expect(throws: DrainRequest.Failure.self, "\(node)") { try DrainRequest(node: node) }
    }
  }
}
