import Foundation
import LoadTesting
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// `SIGTERM` on a node under load.
  @Suite struct DrainTests {
    private func fleet(
      _ cluster: Cluster,
      _ channels: [ChannelName],
      _ count: Int,
      _ transports: [SubscriberTransport]
    ) async throws -> Fleet {
      try await Fleet(
        (0..<count).map { number in
          let transport = transports[number % transports.count]
          var settings = SubscriberSettings(
            name: "\(transport.rawValue) \(number)",
            endpoint: cluster.nginx,
            channels: [channels[number % channels.count]]
          )
          settings.transport = transport
          return settings
        },
        over: .seconds(1)
      )
    }

    /// Drains gateway-2 by a signal and gives back how it went: its end, and when it was asked to.
    private func drain(_ cluster: Cluster) async throws -> NIODeadline {
      let asked = NIODeadline.now()
      try cluster.signal("gateway-2", SIGTERM)
      try await eventually("a draining gateway-2 that is not ready") {
        let ready = try await HTTP.get(cluster.node(1), "/readyz")
        return ready.status == .serviceUnavailable && ready.retryAfter != nil
      }
      // The listener stays open, and what is not held is served to the end.
      let publish = try await HTTP.publish("room:drain-0", "\"late\"", to: cluster.node(1))
      #expect(publish.status == .created)
      let limit = Cluster.settle + Cluster.drainWindow + .seconds(14)
      try await eventually("the end of gateway-2", within: limit, every: .milliseconds(20)) {
        cluster.pid(of: "gateway-2") == nil
      }
      return asked
    }

    @Test func everyClientIsToldFirstAndNothingIsLost() async throws {
      let cluster = try await ClusterTests.cluster()
      let child = try await ChildNode(insteadOf: "gateway-2", in: cluster)
      let channels = try (1...3).map { try #require(ChannelName("room:drain-\($0)")) }
      let fleet = try await fleet(cluster, channels, 240, [.webSocket, .eventStream, .nativeEventSource])
      try await fleet.ready()
      let workload = try await Workload(to: [cluster.nginx], channels, rate: 60, connections: 4)
      try await eventually("the first messages") { workload.ledger.count > 10 }

      let asked = try await drain(cluster)
      #expect(try await child.exitStatus() == 0)
      try await eventually("everyone elsewhere", every: .milliseconds(50)) {
        try await fleet.count { $0.isReady && $0.node != "gateway-2" } == fleet.count
      }
      try await workload.finish()
      try await fleet.caughtUp(with: workload.ledger.tails)
      let journals = try await fleet.journals()
      let verdict = workload.ledger.verdict(on: journals)
      #expect(verdict.isClean, "\(verdict)")
      #expect(verdict.gaps == [:])
      #expect(workload.ledger.failures == [])
      #expect(try await fleet.all { $0.givenUp }.compactMap(\.self) == [])

      let drained = journals.flatMap { journal in
        journal.connections.filter { $0.node == "gateway-2" }.map { (journal, $0) }
      }
      #expect(drained.count > 20)
      #expect(drained.allSatisfy { $0.1.sentAwayAt != nil }, "someone was not told")
      // Each was told at a moment of its own, over the window.
      let told = drained.compactMap { $0.1.sentAwayAt.map { ($0 - asked).nanoseconds / 1_000_000 } }
      let settle = Cluster.settle.components.seconds * 1_000
      #expect(told.min()! >= settle - 100, "told before the settle time was over: \(told.min()!) ms")
      #expect(told.max()! - told.min()! > Cluster.drainWindow.components.seconds * 500, "all at once")
      for (journal, _) in drained where journal.transport == .webSocket {
        // It was connected anew before it let go.
        let old = journal.connections.firstIndex { $0.node == "gateway-2" }!
        let next = try #require(journal.connections.dropFirst(old + 1).first)
        let readyAt = try #require(next.readyAt)
        let endedAt = try #require(journal.connections[old].endedAt)
        #expect(readyAt <= endedAt, "\(journal.subscriber) was without a connection")
      }
      try await fleet.stop()
      try await cluster.up()
    }

    @Test func eventStreamsAloneFindAnotherNodeAtOnce() async throws {
      let cluster = try await ClusterTests.cluster()
      let channels = [try #require(ChannelName("room:drain-sse"))]
      let fleet = try await fleet(cluster, channels, 120, [.eventStream, .nativeEventSource])
      try await fleet.ready()
      _ = try await drain(cluster)
      try await eventually("everyone elsewhere", every: .milliseconds(50)) {
        try await fleet.count { $0.isReady && $0.node != "gateway-2" } == fleet.count
      }
      var waits: [Int64] = []
      for journal in try await fleet.journals() {
        for (old, new) in zip(journal.connections, journal.connections.dropFirst()) {
          let endedAt = try #require(old.endedAt)
          let readyAt = try #require(new.readyAt, "\(journal.subscriber): \(journal.connections)")
          waits.append((readyAt - endedAt).nanoseconds / 1_000_000)
        }
      }
      waits.sort()
      #expect(waits.count > 20)
      // The retry is 100 to 300 ms.
      #expect(waits.last! < 2_000, "without a stream for \(waits) ms")
      #expect(try await fleet.all { $0.givenUp }.compactMap(\.self) == [])
      try await fleet.stop()
      try await cluster.up()
    }

    /// A member that goes nowhere when it is asked to is cut off in the end, and has the grace to come back all the same.
    @Test func whoIgnoresItsGoodbyeLosesNoPlace() async throws {
      let cluster = try await ClusterTests.cluster()
      let child = try await ChildNode(insteadOf: "gateway-2", in: cluster)
      let room = try #require(ChannelName("room:stubborn"))
      let watcher = try await PresenceWatcher(of: [room], at: cluster.node(0))
      let stubborn = try await Socket(to: cluster.node(1))
      let session = try await stubborn.welcome().session
      try await stubborn.subscribe("room:stubborn", presence: .join)
      try await eventually("a member", holds: { watcher.present.count == 1 })
      try cluster.signal("gateway-2", SIGTERM)
      #expect(try await stubborn.closeCode(within: .seconds(30)) == 1012)
      let back = try await Socket(to: cluster.node(2), path: "/v1/socket?session=\(session.secret)")
      try await back.subscribe("room:stubborn", presence: .join)
      #expect(try await child.exitStatus() == 0)
      #expect(watcher.present.count == 1)
      #expect(watcher.leaves == [])
      watcher.stop()
      back.close()
      try await cluster.up()
    }

    /// A stream that the node's death cuts off waits out its `retry:`, so that streams are told while the others still wait.
    @Test func eventStreamsAreToldFirst() async throws {
      try await LoneNode.run(["--event-loops", "1", "--settle", "0s", "--node", "first"]) { node in
        var streams: [Stream] = []
        var sockets: [Socket] = []
        for _ in 0..<8 {
          sockets.append(try await Socket(to: node.endpoint))
          streams.append(try await Stream(to: node.endpoint, "channels=room:first"))
        }
        for socket in sockets { _ = try await socket.welcome() }
        for stream in streams { _ = try await stream.event("welcome") }
        let window = ByteBuffer(string: #"{"over_seconds":8}"#)
        let drain = HTTPRequest(.POST, "/v1/nodes/first/drain", body: window)
        #expect(try await HTTP.send(drain, to: node.backends).status == .ok)
        // Half a second lies between one goodbye and the next: the last of them may be seen a little out of order.
        try await eventually("a WebSocket that is told", every: .milliseconds(20)) {
          sockets.contains { $0.wasToldToGo }
        }
        #expect(streams.count { $0.wasToldToGo } >= streams.count - 1)
        #expect(sockets.count { $0.wasToldToGo } <= 2)
      }
    }

    @Test func aDrainingNodeSendsNewConnectionsElsewhere() async throws {
      let cluster = try await ClusterTests.cluster()
      let held = try await Socket(to: cluster.node(1))
      try await held.subscribe("room:held")
      try cluster.signal("gateway-2", SIGTERM)
      try await eventually("a draining gateway-2") {
        try await HTTP.get(cluster.node(1), "/readyz").status == .serviceUnavailable
      }
      let socket = try await Socket(to: cluster.node(1))
      guard case .refused(let answer) = try await socket.closure() else {
        Issue.record("a new WebSocket was taken")
        return
      }
      #expect(answer.status == 503)
      #expect(answer.headers.first(name: "Retry-After") != nil)

      // To who comes directly it answers as an EventSource can bear it, to a proxy so that it tries another node.
      let stream = try await Stream(to: cluster.node(1), "channels=room:held")
      #expect(try await stream.opened().status == .ok)
      guard case .ended = try await stream.closure() else {
        Issue.record("a new stream was not ended")
        return
      }
      guard case .retry = stream.items.first else {
        Issue.record("no retry")
        return
      }
      let proxied = try await Stream(
        to: cluster.node(1),
        "channels=room:held",
        headers: ["X-Forwarded-For": "10.0.0.1"]
      )
      guard case .refused(let response) = try await proxied.closure() else {
        Issue.record("a proxied stream was taken")
        return
      }
      #expect(response.status == .serviceUnavailable)
      #expect(response.problem == "draining")

      let delay = try await held.event("goaway") { event -> Int? in
        guard case .goaway(_, let milliseconds) = event else { return nil }
        return milliseconds
      }
      #expect((0...2_000).contains(delay))
      // Until it is closed it goes on delivering; the node closes it ten seconds after the delay.
      #expect(try await HTTP.publish("room:held", "\"still\"", to: cluster.node(0)).status == .created)
      try await held.message("\"still\"")
      #expect(try await held.closeCode(within: .seconds(15)) == 1012)
      try await eventually("the end of gateway-2") { cluster.pid(of: "gateway-2") == nil }
      try await cluster.up()
    }
  }
}

extension Socket {
  fileprivate var wasToldToGo: Bool {
    events.contains { if case .goaway = $0 { true } else { false } }
  }
}

extension Stream {
  fileprivate var wasToldToGo: Bool {
    items.contains { if case .event(let event) = $0 { event.name == "goaway" } else { false } }
  }
}
