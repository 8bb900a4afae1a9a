import Brokering
import NIOCore
import Sessions
import Testing
import Wire

@testable import GatewayNode

@Suite struct ClusterNodesTests {
  private func report(
    _ node: String,
    _ life: String,
    _ state: NodeState = .ready,
    uptime: Int = 5,
    startedAt: Int64 = 0
  ) -> NodeReport {
    var report = NodeReport(
      node: node,
      incarnation: "\(node)/\(life)",
      state: state,
      version: "1",
      uptime: uptime,
      startedAt: startedAt,
      connections: NodeReport.Connections(webSocket: 1, eventStream: 2, poll: 3)
    )
    report.load.messagesIn = 1.5
    report.load.messagesOut = 20
    report.load.connects = 0.1
    report.load.memory = 4_096
    report.load.lagMS = 2.5
    report.load.acceptRate = 2_000
    report.load.canPublish = true
    report.load.problem = "deaf"
    report.load.faults.timeouts = 3
    report.load.resumes = 3_000
    report.load.resumeReads = 4
    if state == .draining {
      report.drain = Drain.Progress(remaining: 9, perSecond: 2.5, secondsLeft: 4, forced: 1, step: .leaving)
    }
    return report
  }

  private func record(
    _ report: NodeReport,
    isAlive: Bool = true,
    silence: TimeAmount = .zero
  ) -> NodeRecord {
    NodeRecord(incarnation: report.incarnation, isAlive: isAlive, state: report.json, silence: silence)
  }

  private func states(_ nodes: ClusterNodes) throws -> [String] {
    try #require(try JSONObject(nodes.json)["nodes"]?.elements).compactMap(\.object).map { node in
      let successor = node["replaced_by"]?.string.map { " by \($0)" } ?? ""
      return "\(node["incarnation"]!.string!) \(node["state"]!.string!) \(node["alive"]!.bool!)\(successor)"
    }
  }

  @Test(arguments: NodeState.allCases)
  func reportsAreReadAsTheyWereWritten(_ state: NodeState) {
    let report = report("a", "1", state)
    #expect(NodeReport(report.json) == report)
  }

  @Test func aDrainIsWrittenAsTheInterfaceSays() {
    #expect(
      String(buffer: report("a", "1", .draining).json) == """
        {"node":"a","incarnation":"a/1","state":"draining","version":"1","uptime_s":5,\
        "connections":{"websocket":1,"sse":2,"poll":3},\
        "drain":{"remaining":9,"per_second":2.5,"seconds_left":4,"forced":1,"phase":"leaving"},"started_at":0,"alive":true,"seen_s":0,\
        "rates":{"messages_in":1.5,"messages_out":20,"connects":0.1},"memory_bytes":4096,"loop_lag_ms":2.5,\
        "accept_rate":2000,"health":{"publish":true,"feed":false,"problem":"deaf",\
        "breakers_open":0,"timeouts":3,"refused":0,"reconnects":0},\
        "resumes":{"total":3000,"redis_reads":4,"reads_per_thousand":1.3}}
        """
    )
  }

  @Test func theOwnReportIsOfNowAndNodesAreSorted() {
    let own = report("b", "1", .draining)
    let nodes = ClusterNodes(
      [record(report("c", "1")), record(report("b", "1")), record(report("a", "1"))],
      own: own
    )
    #expect(nodes.reports.map(\.node) == ["a", "b", "c"])
    #expect(nodes["b"] == own)
    #expect(nodes["d"] == nil)
  }

  /// A record in Redis is what anybody wrote there.
  @Test(arguments: ["9223372036854775807", "-9223372036854775808"])
  func believesNoUptime(_ uptime: String) throws {
    let text = String(buffer: report("a", "1").json).replacing(
      "\"uptime_s\":5",
      with: "\"uptime_s\":\(uptime)"
    )
    let records = ["a/1", "a/2"].map {
      NodeRecord(
        incarnation: $0,
        isAlive: true,
        state: ByteBuffer(string: text.replacing("a/1", with: $0)),
        silence: .nanoseconds(.max)
      )
    }
    #expect(ClusterNodes(records, own: report("b", "1")).reports.count == 3)
  }

  @Test func theOwnNodeIsThereBeforeItIsRegistered() {
    #expect(ClusterNodes([], own: report("a", "1", .starting)).reports.count == 1)
  }

  @Test func aNodeThatCannotSeeTheOthersSaysSo() throws {
    let alone = ClusterNodes([], own: report("a", "1"), problem: "Redis is down")
    let told = try JSONObject(alone.json)
    #expect(told["nodes"]?.elements?.count == 1)
    #expect(told["problem"]?.string == "Redis is down")
    #expect(try JSONObject(ClusterNodes([], own: report("a", "1")).json)["problem"] == nil)
  }

  @Test func aDeadNodeIsDeadAndHasNothing() throws {
    let nodes = ClusterNodes(
      [
        record(report("a", "1", .draining), isAlive: false),
        record(report("c", "1", .stopped), isAlive: false),
      ],
      own: report("b", "1")
    )
    #expect(try states(nodes) == ["a/1 dead false", "b/1 ready true", "c/1 stopped false"])
    let dead = try #require(nodes["a"])
    #expect(dead.load == NodeLoad())
    #expect(dead.connections == NodeReport.Connections())
    #expect(dead.drain == nil)
  }

  @Test func earlierLivesOfANodeAreDeadAndReplaced() throws {
    let nodes = ClusterNodes(
      [
        record(report("a", "9", uptime: 60, startedAt: 1), isAlive: false, silence: .seconds(8)),
        record(report("a", "2", uptime: 4, startedAt: 2)),
        record(report("b", "0", uptime: 99, startedAt: 3), isAlive: false, silence: .seconds(30)),
      ],
      own: report("b", "1", startedAt: 4)
    )
    #expect(
      try states(nodes) == [
        "a/2 ready true", "a/9 dead false by a/2", "b/1 ready true", "b/0 dead false by b/1",
      ]
    )
    #expect(nodes["a"]?.incarnation == "a/2")
    #expect(nodes["a/9"]?.incarnation == "a/9")
  }

  /// A killed process holds its lease for some seconds after the next has come.
  @Test func whoIsReplacedDoesNotLiveOnInItsLease() throws {
    let nodes = ClusterNodes(
      [
        record(report("a", "1", uptime: 1, startedAt: 10), silence: .seconds(5)),
        record(report("a", "2", uptime: 6, startedAt: 11)),
      ],
      own: report("b", "1")
    )
    #expect(try states(nodes) == ["a/2 ready true", "a/1 dead false by a/2", "b/1 ready true"])
    #expect(nodes.living("a").count == 1)
  }

  @Test func twoThatUseOneNameBothLive() throws {
    let nodes = ClusterNodes(
      [
        record(report("a", "1", uptime: 60, startedAt: 1), silence: .seconds(1)),
        record(report("a", "2", uptime: 30, startedAt: 2)),
      ],
      own: report("b", "1")
    )
    #expect(nodes.living("a").map(\.incarnation) == ["a/2", "a/1"])
  }

  /// Nodes that drain at once do not send the others more together than one of them may.
  @Test(
    arguments: [
      ([9, 9], [1_000, 1_000]), ([90, 10], [1_400, 600]), ([9, 0], [2_000]), ([1_000_000, 1], [1_500, 500]),
      ([5, 5, 5, 5], [500, 500, 500, 500]), ([.max, .max], [1_000, 1_000]), ([7, -7], [2_000]),
      ([0], [2_000]),
    ] as [([Int], [Double])]
  )
  func thoseWhoDrainShareWhatTheOthersTake(_ remaining: [Int], _ shares: [Double]) throws {
    let draining = remaining.enumerated().map { index, remaining in
      var report = report("d\(index)", "1", .draining)
      report.drain = Drain.Progress(remaining: remaining, perSecond: 1, secondsLeft: 9, forced: 0)
      return report
    }
    for (own, share) in zip(draining, shares) {
      let nodes = ClusterNodes((draining + [report("r", "1")]).map { record($0) }, own: own)
      let rate = try #require(nodes.acceptable(besides: own.incarnation))
      #expect(abs(rate - share) < 1, "\(own.node) sends \(rate)")
    }
  }

  @Test func onlyThoseWhoStillSendHaveAShare() {
    var late = report("late", "1", .draining)
    late.drain?.step = .overdue
    var silent = report("silent", "1", .draining)
    silent.drain = nil
    let others = [
      late, silent, report("done", "1", .drained), report("dead", "1", .draining), report("r", "1"),
    ]
    let nodes = ClusterNodes(
      others.map { record($0, isAlive: $0.node != "dead") },
      own: report("a", "1", .draining)
    )
    #expect(nodes.acceptable(besides: "a/1") == 2_000)
  }

  @Test func theOthersTakeWhatTheReadyOnesTake() {
    let nodes = ClusterNodes(
      [
        record(report("b", "1")), record(report("c", "1", .drained)),
        record(report("d", "1"), isAlive: false),
        record(report("e", "1")),
      ],
      own: report("a", "1")
    )
    #expect(nodes.acceptable(besides: "a/1") == 4_000)
    #expect(nodes.acceptable(besides: "b/1") == 4_000)
    #expect(
      ClusterNodes([record(report("b", "1", .drained))], own: report("a", "1")).acceptable(besides: "a/1")
        == nil
    )
  }

  /// A drain goes by the sum of these, which one that is made up neither stops nor hastens beyond all measure.
  @Test(
    arguments: [
      ("1e999", 1e9), ("1.8e308", 1e9), ("9223372036854775807", 1e9), ("1000000000.5", 1e9), ("1e9", 1e9),
      ("0.5", 0.5), ("5e-324", .leastNonzeroMagnitude), ("0", 0), ("-0.5", 0), ("-9223372036854775808", 0),
      ("-1e999", 0),
      ("\"2000\"", 0), ("\"NaN\"", 0), ("true", 0), ("null", 0), ("[2000]", 0), ("{\"a\":2000}", 0),
    ] as [(String, Double)]
  )
  func believesNoAcceptRate(_ text: String, _ rate: Double) throws {
    let state = String(buffer: report("b", "1").json).replacing(
      "\"accept_rate\":2000",
      with: "\"accept_rate\":\(text)"
    )
    #expect(state.contains("\"accept_rate\":\(text),"))
    let absurd = NodeRecord(incarnation: "b/1", isAlive: true, state: ByteBuffer(string: state))
    let nodes = ClusterNodes([absurd, record(report("c", "1"))], own: report("a", "1"))
    #expect(nodes["b"]?.load.acceptRate == rate)
    #expect(nodes.acceptable(besides: "a/1") == rate + 2_000)
    // And it is told on as what was believed.
    let told = try #require(try JSONObject(nodes.json)["nodes"]?.elements?[1].object)
    #expect(told["accept_rate"]?.number == (rate * 10).rounded() / 10)
  }

  @Test func whoHasSaidNothingYetIsStarting() throws {
    let nodes = ClusterNodes(
      [NodeRecord(incarnation: "a/1", isAlive: true, state: ByteBuffer())],
      own: report("b", "1")
    )
    #expect(try #require(nodes["a"]).state == .starting)
  }
}
