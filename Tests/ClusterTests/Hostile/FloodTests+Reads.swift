import NIOCore
import NIOHTTP1
import NIOPosix
import RedisClient
import SluiceClient
import class TestRedis.CuttableProxy
import Testing
import Wire

extension ClusterTests.FloodTests {
  /// Redis answers late, and pages are asked for faster than that. A loop reads a hundred at once, so that others come
  /// through, and has ten thousand waiting; the rest is refused.
  @Test func readsThatPileUpAreRefusedBeyondTheLimit() async throws {
    let cluster = try await ClusterTests.cluster()
    // A thread of its own: what the readers do in this process makes nothing later than it is meant to be.
    let thread = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let redis = try await CuttableProxy(
      to: RedisAddress(host: "127.0.0.1", port: cluster.redisPort),
      on: thread
    )
    let options = [
      // A database of its own: the cluster of the other tests is left alone.
      "--redis", "redis://127.0.0.1:\(redis.address.port)/7", "--node", "late", "--event-loops", "1",
      // All of them come from one address, and at once.
      "--reads-per-address", "0", "--accept-rate", "100000",
    ]
    try await LoneNode.run(options) { node in
      let room = try #require(ChannelName("late:\(UInt32.random(in: .min ... .max))"))
      #expect(try await HTTP.publish(room.text, "1", to: node.endpoint).status == .created)
      let count = (100 + 10_000) / EagerReaders.atOnce + 50
      let readers = try await EagerReaders(count, of: room, on: node.endpoint)
      try await eventually("\(count) WebSockets", within: .seconds(60), every: .milliseconds(50)) {
        readers.now.open == count
      }
      let refused = #"sluice_refused_total{reason="reads"}"#
      #expect(try await Metrics.value(refused, of: node.backends) == 0)

      // A command may take two seconds.
      redis.delay(.milliseconds(500))
      try await readers.begin()
      try await eventually("a read that is refused", within: .seconds(60), every: .milliseconds(50)) {
        readers.now.refusals[.overloaded] != nil
      }
      #expect(readers.now.waits == [2_000])
      #expect(try await Metrics.value(refused, of: node.backends) > 0)
      // Who publishes waits behind those alone that are being read.
      try await eventually("a publish", every: .milliseconds(50)) {
        // Its key tells that it is the same one.
        let answer = try? await HTTP.publish(room.text, "2", key: "2", to: node.endpoint)
        return answer?.status == .created || answer?.status == .ok
      }

      // Everyone who was taken is answered, and others are read again.
      redis.delay(.zero)
      readers.stop()
      try await eventually("every answer", within: .seconds(60), every: .milliseconds(50)) {
        readers.now.unanswered == 0
      }
      let end = readers.now
      #expect(end.strange == [] && end.pages > 100)
      #expect(Set(end.refusals.keys).subtracting([.overloaded, .unavailable]).isEmpty, "\(end.refusals)")
      let before = try await Metrics.value(refused, of: node.backends)
      let page = try await HTTP.get(node.endpoint, "/v1/channels/\(room)/messages?limit=10")
      guard case .history(_, _, let messages, _, nil)? = try? ServerEvent(parsing: page.body) else {
        Issue.record("no page: \(page.text)")
        return
      }
      #expect(messages.map(\.data) == [ByteBuffer(string: "1"), ByteBuffer(string: "2")])
      #expect(try await Metrics.value(refused, of: node.backends) == before)
      try await readers.close()
    }
    try await redis.stop()
    try await thread.shutdownGracefully()
  }
}
