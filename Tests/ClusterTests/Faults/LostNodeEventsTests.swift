import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import SluiceClient
import Testing
import Wire

#if canImport(Glibc)
  import Glibc
#endif

extension ClusterTests {
  /// A backend that is told of events, whoever of the nodes dies.
  @Suite struct LostNodeEventsTests {
    @Test func aKilledNodesEventsAreToldByAnother() async throws {
      let cluster = try await ClusterTests.cluster()
      let hook = try await EventHook()
      // A database of its own: the cluster of the other tests is left alone.
      let flags = [
        "--redis", "redis://127.0.0.1:\(cluster.redisPort)/6", "--webhook", hook.url,
        "--webhook-decides", "none", "--webhook-timeout", "1s", "--webhook-events",
        "disconnect,channel-occupied,channel-vacated",
      ]
      try await LoneNode.run(["--node", "lost"] + flags) { lost in
        try await LoneNode.run(["--node", "kept"] + flags) { kept in
          try await observe(lost, kept, hook)
        }
      }
      try await hook.stop()
    }

    private func observe(_ lost: LoneNode, _ kept: LoneNode, _ hook: EventHook) async throws {
      let (shared, lone) = ("events:shared", "events:lone")
      let staying = try await Socket(to: kept.endpoint)
      try await staying.subscribe(shared)
      let doomed = try await Socket(to: lost.endpoint)
      let member = try await doomed.welcome().session.member
      try await doomed.subscribe(shared)
      try await doomed.subscribe(lone)
      try await eventually("both channels are occupied") {
        Set(hook.channels("channel-occupied")).isSuperset(of: [shared, lone])
      }
      kill(lost.process.pid, SIGKILL)
      try await eventually("its end", within: .seconds(40)) {
        hook.told.contains { $0.kind == "disconnect" && $0.member == member }
          && hook.channels("channel-vacated").contains(lone)
      }
      #expect(!hook.channels("channel-vacated").contains(shared))
      staying.close()
      try await eventually("the other end", within: .seconds(40)) {
        hook.channels("channel-vacated").contains(shared)
      }
      #expect(hook.told.count { $0.kind == "disconnect" } == 2)
      #expect(hook.channels("channel-occupied").count == 2)
      doomed.abort()
    }
  }
}

/// A backend that takes every event, and knows by its id what it was told before.
private final class EventHook: Sendable {
  struct Told: Sendable {
    var id: String
    var kind: String
    var channel: String?
    var member: String?
  }

  let url: String
  private let listener: any Channel
  private let all: NIOLockedValueBox<[Told]>

  init() async throws {
    let all = NIOLockedValueBox<[Told]>([])
    listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(EventTaker(all))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    self.all = all
    url = "http://127.0.0.1:\(listener.localAddress!.port!)/events"
  }

  var told: [Told] { all.withLockedValue { $0 } }

  func channels(_ kind: String) -> [String] { told.filter { $0.kind == kind }.compactMap(\.channel) }

  func stop() async throws { try await listener.close() }
}

private final class EventTaker: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart
  private let all: NIOLockedValueBox<[EventHook.Told]>
  private var body = ByteBuffer()

  init(_ all: NIOLockedValueBox<[EventHook.Told]>) {
    self.all = all
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head: body.clear()
    case .body(let bytes): body.writeImmutableBuffer(bytes)
    case .end:
      let events = (try? JSONObject(body))?["events"]?.elements ?? []
      let told = events.compactMap { event -> EventHook.Told? in
        guard let event = event.object, let id = event["id"]?.string, let kind = event["kind"]?.string
        else { return nil }
        return EventHook.Told(
          id: id,
          kind: kind,
          channel: event["channel"]?.string,
          member: event["member"]?.string
        )
      }
      // Who dies before it notes that an event was taken has it told again.
      all.withLockedValue { all in all += told.filter { new in !all.contains { $0.id == new.id } } }
      let head = HTTPResponseHead(version: .http1_1, status: .noContent)
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }
}
