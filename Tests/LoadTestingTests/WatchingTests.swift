import NIOCore
import SluiceClient
import Testing
import Wire

@testable import LoadTesting

@Suite struct WatchingTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

  private func connection(
    _ transport: SubscriberTransport,
    from: Int64,
    to: Int64?,
    on node: String? = nil
  ) -> DeliveryJournal.Connection {
    var connection = DeliveryJournal.Connection(
      transport: transport,
      dialedAt: start + .milliseconds(from - 5)
    )
    connection.readyAt = start + .milliseconds(from)
    connection.endedAt = to.map { start + .milliseconds($0) }
    connection.node = node
    return connection
  }

  private func journal(
    _ transport: SubscriberTransport,
    _ connections: [DeliveryJournal.Connection]
  ) -> DeliveryJournal {
    DeliveryJournal(subscriber: "s", transport: transport, tracks: [], connections: connections)
  }

  @Test func whoConnectsAnewFirstWasNotAway() {
    let times = ConnectionTimes(
      [
        journal(
          .webSocket,
          [
            connection(.webSocket, from: -100, to: 510), connection(.webSocket, from: 500, to: nil),
          ]
        ),
        journal(
          .eventStream,
          [
            connection(.eventStream, from: -100, to: 500), connection(.eventStream, from: 700, to: nil),
          ]
        ),
      ],
      since: start
    )
    #expect(times.without(.webSocket, at: 1) == 0)
    #expect(times.without[.webSocket]?.count == 1)
    #expect((199...201).contains(times.without(.eventStream, at: 0.99)))
    #expect(times.reconnects == [.webSocket: 1, .eventStream: 1])
  }

  @Test func aPauseBetweenTwoPollsIsTimeWithoutAConnection() {
    var polls = connection(.longPoll, from: -100, to: nil)
    polls.longestPause = .milliseconds(80)
    let times = ConnectionTimes([journal(.longPoll, [polls])], since: start)
    #expect((79...81).contains(times.without(.longPoll, at: 1)))
  }

  @Test func peaksAreCountedWithinATenthOfASecond() {
    let dials: [Int64] = [100, 150, 199, 200, 320, 330]
    let times = ConnectionTimes(
      dials.map { journal(.webSocket, [connection(.webSocket, from: $0, to: nil, on: "a")]) }
        + [journal(.webSocket, [connection(.webSocket, from: 100, to: nil, on: "b")])],
      since: start
    )
    #expect(times.peaks.map(\.node) == ["a", "b"])
    #expect(times.peaks.map(\.count) == [4, 1])
    #expect(times.peak.node == "a")
  }

  @Test func aCloseByTheDrainWasForced() {
    var closed = connection(.webSocket, from: -100, to: 300)
    closed.closeCode = 1012
    #expect(ConnectionTimes([journal(.webSocket, [closed])], since: start).forced == 1)
  }

  @Test func theDriverSaysWhenItWasTheLimit() throws {
    var report = DriverReport()
    report.coresAvailable = 2
    report.cores = 0.7
    #expect(DriverLimit.words(report, machineBusy: 0.5) == nil)
    report.cores = 1.85
    #expect(try #require(DriverLimit.words(report, machineBusy: nil)).contains("1.9 of its 2 cores"))
    report.cores = 0.7
    #expect(try #require(DriverLimit.words(report, machineBusy: 0.99)).contains("99 % busy"))
    report.lagP99Us = 25_000
    #expect(try #require(DriverLimit.words(report, machineBusy: 0.1)).contains("25 ms late"))
  }

  @Test func nodesAreReadFromTheirList() throws {
    let list = """
      {"nodes":[{"node":"b","incarnation":"b/1","state":"dead","connections":{"websocket":7},"memory_bytes":1},
      {"node":"b","incarnation":"b/2","state":"draining","connections":{"websocket":1,"sse":2,"poll":3},
      "memory_bytes":5000,"drain":{"remaining":4,"per_second":12.5,"seconds_left":3,"forced":2}},
      {"node":"c","incarnation":"c/1","state":"stopped","replaced_by":"c/2","connections":{}},
      {"node":"c","incarnation":"c/2","state":"dead","connections":{}}]}
      """
    let views = try #require(NodeView.list(ByteBuffer(string: list)))
    #expect(views.map(\.incarnation) == ["b/2", "c/2"])
    #expect(views[0].connections == 6 && views[0].memory == 5_000)
    #expect(views[0].drainPace == 12.5 && views[0].forced == 2)
    #expect(NodeView.list(ByteBuffer(string: "[]")) == nil)
    // What one node says while it cannot see the others is no list of the cluster.
    let alone = list.replacing("]}", with: "],\"problem\":\"Redis is down\"}")
    #expect(NodeView.list(ByteBuffer(string: alone)) == nil)
  }

  @Test func aProcessIsReadFromItsMetrics() throws {
    let metrics = """
      # HELP process_cpu_seconds_total x
      process_cpu_seconds_total 12.5
      sluice_info{incarnation="n-1/abc",node="n-1",version="1"} 1
      """
    let view = try #require(ProcessView(metrics))
    #expect(view.node == "n-1" && view.incarnation == "n-1/abc" && view.processorSeconds == 12.5)
    #expect(ProcessView("up 1") == nil)
  }
}
