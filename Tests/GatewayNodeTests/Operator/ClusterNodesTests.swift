import Brokering
import NIOCore
import Sessions
import Testing

@testable import GatewayNode

@Suite struct ClusterNodesTests {
  private func report(_ node: String, _ life: String, _ state: NodeState = .ready) -> NodeReport {
    var report = NodeReport(
      node: node,
      incarnation: "\(node)/\(life)",
      state: state,
      version: "1",
      uptime: 5,
      connections: NodeReport.Connections(webSocket: 1, eventStream: 2, poll: 3)
    )
    if state == .draining {
      report.drain = Drain.Progress(remaining: 9, perSecond: 2.5, secondsLeft: 4, forced: 1)
    }
    return report
  }

  private func record(_ report: NodeReport, isAlive: Bool = true) -> NodeRecord {
    NodeRecord(incarnation: report.incarnation, isAlive: isAlive, state: report.json)
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
        "drain":{"remaining":9,"per_second":2.5,"seconds_left":4,"forced":1}}
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

  @Test func theOwnNodeIsThereBeforeItIsRegistered() {
    #expect(ClusterNodes([], own: report("a", "1", .starting)).reports.count == 1)
  }

  @Test func aDeadNodeIsStoppedAndHasNothing() throws {
    let nodes = ClusterNodes([record(report("a", "1", .draining), isAlive: false)], own: report("b", "1"))
    let dead = try #require(nodes["a"])
    #expect(dead.state == .stopped)
    #expect(dead.connections == NodeReport.Connections())
    #expect(dead.drain == nil)
  }

  @Test func aNodeThatCameBackHidesItsEarlierLives() {
    let nodes = ClusterNodes(
      [
        record(report("a", "1"), isAlive: false), record(report("a", "2")),
        record(report("b", "0"), isAlive: false),
      ],
      own: report("b", "1")
    )
    #expect(nodes.reports.map(\.incarnation) == ["a/2", "b/1"])
  }

  @Test func whoHasSaidNothingYetIsStarting() throws {
    let nodes = ClusterNodes(
      [NodeRecord(incarnation: "a/1", isAlive: true, state: ByteBuffer())],
      own: report("b", "1")
    )
    #expect(try #require(nodes["a"]).state == .starting)
  }
}
