import LoadTesting
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// More clients than a node takes at once.
  @Suite struct AcceptTests {
    @Test func aCrowdIsLetInAtTheRate() async throws {
      let cluster = try await ClusterTests.cluster()
      let (rate, burst, count) = (600.0, 300.0, 3_000)
      let flags = ["--accept-rate", "\(Int(rate))", "--accept-burst", "\(Int(burst))"]
      _ = try await ChildNode(insteadOf: "gateway-1", in: cluster, flags)
      let room = try #require(ChannelName("room:crowd"))
      let began = ContinuousClock.now
      let fleet = try await Fleet(
        (0..<count).map { number in
          var settings = SubscriberSettings(name: "\(number)", endpoint: cluster.node(0), channels: [room])
          settings.transport = number % 3 == 0 ? .eventStream : .webSocket
          return settings
        }
      )
      // What was let in, and when that was surely so at the latest and at the earliest.
      var seen: [(before: ContinuousClock.Instant, after: ContinuousClock.Instant, count: Double)] = []
      try await eventually("\(count) subscribers", within: .seconds(90), every: .milliseconds(50)) {
        let before = ContinuousClock.now
        let connects = try await cluster.metric("sluice_connects_total", of: 0)
        seen.append((before, .now, connects))
        return try await fleet.count { $0.isReady } == count
      }
      let took = ContinuousClock.now - began
      print("  \(count) clients at \(Int(rate)) a second are in after \(took)")
      // A busy machine gives a tenth of the rate at the least.
      #expect(took < .seconds(Double(count) / rate * 10))
      for (index, late) in seen.enumerated() {
        for early in seen[..<index] where late.after - early.before <= .seconds(1) {
          #expect(late.count - early.count <= rate + burst, "too many within a second")
        }
      }
      let refused = try await cluster.metric("sluice_overloaded_total", of: 0)
      #expect(refused > 0)
      // They come back when they are told to, not all the time.
      #expect(refused < Double(count) * 6, "\(refused) were refused")
      try await fleet.stop()
      try await cluster.restore(["gateway-1"])
    }

    @Test func theRefusedAreToldWhenThereIsRoom() async throws {
      let cluster = try await ClusterTests.cluster()
      let flags = ["--accept-rate", "1", "--accept-burst", "2"]
      _ = try await ChildNode(insteadOf: "gateway-1", in: cluster, flags)
      for _ in 0..<2 { _ = try await Socket(to: cluster.node(0)).welcome() }
      let socket = try await Socket(to: cluster.node(0))
      guard case .refused(let answer) = try await socket.closure() else {
        Issue.record("a third WebSocket was taken")
        return
      }
      #expect(answer.status == 503)
      let poll = try await HTTP.get(cluster.node(0), "/v1/poll?channels=room:new&wait=5")
      #expect(poll.status == .serviceUnavailable)
      #expect(poll.problem == "overloaded")
      let wait = try #require(poll.object?["retry_after_ms"]?.integer)
      #expect((1...62_000).contains(wait))
      #expect(poll.retryAfter == .seconds((wait + 999) / 1_000))

      let stream = try await Stream(to: cluster.node(0), "channels=room:new")
      #expect(try await stream.opened().status == .ok)
      _ = try await stream.item("a retry") { if case .retry(let wait) = $0, wait > 0 { true } else { nil } }
      let proxied = try await Stream(
        to: cluster.node(0),
        "channels=room:new",
        headers: ["X-Forwarded-For": "10.0.0.1"]
      )
      guard case .refused(let response) = try await proxied.closure() else {
        Issue.record("a proxied stream was taken")
        return
      }
      #expect(response.status == .serviceUnavailable)
      // What is not held is served all the same.
      #expect(try await HTTP.get(cluster.node(0), "/v1/poll?channels=room:new&wait=0").status == .ok)
      #expect(try await HTTP.publish("room:new", "1", to: cluster.node(0)).status == .created)
      try await cluster.restore(["gateway-1"])
    }

    /// A native EventSource takes any answer but a stream for final: nginx makes one of the refusal.
    @Test func browsersBehindAProxyComeBack() async throws {
      let cluster = try await ClusterTests.cluster()
      for name in Cluster.nodeNames {
        _ = try await ChildNode(
          insteadOf: name,
          in: cluster,
          ["--accept-rate", "40", "--accept-burst", "10"]
        )
      }
      let room = try #require(ChannelName("room:browsers"))
      let fleet = try await Fleet(
        (0..<150).map { number in
          var settings = SubscriberSettings(name: "\(number)", endpoint: cluster.nginx, channels: [room])
          settings.transport = .nativeEventSource
          return settings
        }
      )
      try await fleet.ready(within: .seconds(60))
      #expect(try await fleet.all { $0.givenUp }.compactMap(\.self) == [])
      var refused = 0.0
      for index in 0..<3 { refused += try await cluster.metric("sluice_overloaded_total", of: index) }
      #expect(refused > 0)
      try await fleet.stop()
      try await cluster.restore(Cluster.nodeNames)
    }
  }
}
