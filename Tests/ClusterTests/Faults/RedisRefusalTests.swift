import NIOCore
import NIOHTTP1
import RedisClient
import SluiceClient
import class TestRedis.CuttableProxy
import class TestRedis.RedisServer
import Testing
import Wire

extension ClusterTests {
  /// Redis is there, and is of no use to a node: who publishes is told so, who listens stays and misses nothing.
  @Suite struct RedisRefusalTests {
    private let room = ChannelName("refused:a")!

    @Test(arguments: RedisTrouble.all)
    func aNodeOutlives(_ trouble: RedisTrouble) async throws {
      let server = try await RedisServer(trouble.arguments, fileLimit: trouble.fileLimit)
      let proxy = try await CuttableProxy(to: server.address)
      let options = ["--redis", "redis://127.0.0.1:\(proxy.address.port)", "--node", "refused"]
      try await LoneNode.run(options) { node in
        let audience = try await Audience(of: room, on: node.endpoint)
        let first = try #require(try await publish("1", to: node.endpoint).object?["cursor"]?.string)
        try await audience.heard("1")
        let poll = Task { [room] in
          try await HTTP.poll(node.endpoint, room.text, "wait=55&since=\(room)@\(first)")
        }
        try await eventually("a held poll") { try await Metrics.heldPolls(of: node.backends) == 1 }

        try await trouble.begin(server, proxy, node)
        try await refusesPublishes(node)
        let ready = try await eventually("an unready node") {
          let answer = try await HTTP.get(node.endpoint, "/readyz")
          return answer.status == .serviceUnavailable && answer.text.contains(trouble.word) ? answer : nil
        }
        #expect(ready.problem == "unavailable" && ready.retryAfter != nil, "\(ready.text)")
        #expect(try await HTTP.get(node.endpoint, "/healthz").status == .ok)
        try await tellsOperators(node, trouble)
        try await reads(node, areServed: trouble.readsAreServed)

        try trouble.end(server, proxy)
        try await eventually("a ready node", within: .seconds(30)) {
          try await HTTP.get(node.endpoint, "/readyz").status == .ok
        }
        // Its key tells that it is the same one.
        try await eventually("a publish") {
          let status = try await publish("3", key: "3", to: node.endpoint).status
          return status == .created || status == .ok
        }
        try await audience.heard("3")
        let log = try await log(of: node)
        #expect(log.first?.data == "1" && log.last?.data == "3" && log.count { $0.data == "3" } == 1)
        if trouble.readsAreServed { #expect(log.map(\.data) == ["1", "3"], "what was refused is there") }
        audience.expect(log)
        let held = try #require(try await poll.value.poll)
        #expect(held.events.compactMap(Heard.init) == Array(log.dropFirst().prefix(held.events.count)))
        #expect(!held.events.isEmpty)
        audience.leave()
      }
      try await proxy.stop()
    }

    /// Scripts that Redis has forgotten are sent again, in order.
    @Test func nobodyNoticesThatScriptsWereForgotten() async throws {
      let server = try await RedisServer()
      let options = ["--redis", "redis://127.0.0.1:\(server.port)", "--node", "refused"]
      try await LoneNode.run(options) { node in
        let audience = try await Audience(of: room, on: node.endpoint)
        for number in 1...50 {
          if number.isMultiple(of: 5) { #expect(try server.tell("SCRIPT", "FLUSH") == "OK") }
          #expect(try await publish("\(number)", to: node.endpoint).status == .created)
        }
        try await audience.heard("50")
        let log = try await log(of: node)
        #expect(log.map(\.data) == (1...50).map(String.init))
        audience.expect(log)
        audience.leave()
      }
    }

    private func publish(_ data: String, key: String? = nil, to node: Endpoint) async throws -> HTTPResponse {
      try await HTTP.publish(room.text, data, key: key, to: node)
    }

    /// By every way to publish, and again and again: a trial that a breaker lets through is refused as the others are.
    private func refusesPublishes(_ node: LoneNode) async throws {
      let publisher = try await Socket(to: node.endpoint)
      for number in 0..<8 {
        let answer = try await publish("2", to: node.endpoint)
        #expect(answer.status == .serviceUnavailable && answer.problem == "unavailable", "\(answer.text)")
        #expect(answer.retryAfter != nil)
        let id = Int64(number)
        publisher.send(id, .publish(channel: room, data: ByteBuffer(string: "2"), key: nil))
        let error = try await publisher.error(id)
        #expect(error.code == .unavailable && error.retryAfterMS != nil, "\(error)")
        let body = #"{"publications":[{"channels":["\#(room)"],"data":2}]}"#
        let request = HTTPRequest(.POST, "/v1/publish", body: ByteBuffer(string: body))
        let text = try await HTTP.send(request, to: node.backends).text
        #expect(text.contains(#""code":"unavailable""#), "\(text)")
      }
      #expect(!publisher.isClosed)
      publisher.abort()
    }

    private func tellsOperators(_ node: LoneNode, _ trouble: RedisTrouble) async throws {
      let text = try await HTTP.get(node.backends, "/v1/nodes").text
      #expect(text.contains(trouble.word), "\(text)")
      #expect(try await Metrics.value(trouble.count, of: node.backends) > 0)
    }

    private func reads(_ node: LoneNode, areServed: Bool) async throws {
      let page = try await HTTP.get(node.endpoint, "/v1/channels/\(room)/messages")
      #expect(page.status == (areServed ? .ok : .serviceUnavailable), "\(page.text)")
      guard areServed else {
        #expect(page.problem == "unavailable" && page.retryAfter != nil)
        return
      }
      let late = try await Socket(to: node.endpoint)
      try await late.subscribe(room.text, since: .start)
      try await late.message("1")
      late.abort()
    }

    private func log(of node: LoneNode) async throws -> [Heard] {
      let page = try await HTTP.get(node.endpoint, "/v1/channels/\(room)/messages?since=start&limit=1000")
      guard case .history(_, _, let messages, _, nil) = try ServerEvent(parsing: page.body) else {
        Issue.record("no page: \(page.text)")
        return []
      }
      return messages.map { Heard(cursor: $0.cursor, data: String(buffer: $0.data)) }
    }
  }
}

/// A message as somebody got it.
private struct Heard: Equatable {
  var cursor: Cursor
  var data: String

  init(cursor: Cursor, data: String) {
    self.cursor = cursor
    self.data = data
  }

  init?(_ event: ServerEvent) {
    guard case .message(_, let cursor?, let data, _, _) = event else { return nil }
    self.init(cursor: cursor, data: String(buffer: data))
  }
}

/// Who listens to a channel all the while, over a WebSocket and a stream.
private struct Audience {
  private let socket: Socket
  private let stream: Stream

  init(of room: ChannelName, on node: Endpoint) async throws {
    socket = try await Socket(to: node)
    try await socket.subscribe(room.text)
    stream = try await Stream(to: node, "channels=\(room)")
    _ = try await stream.event("welcome")
  }

  func heard(_ data: String) async throws {
    try await socket.message(data)
    _ = try await stream.item("the message \(data)") { item -> Bool? in
      guard case .event(let event) = item, let content = try? ServerEvent(parsing: event.data) else {
        return nil
      }
      return Heard(content)?.data == data ? true : nil
    }
  }

  /// Both have the whole log, each message once and in order, and no gap, on the connections of the beginning.
  func expect(_ log: [Heard]) {
    let streamed = stream.items.compactMap { item -> ServerEvent? in
      guard case .event(let event) = item else { return nil }
      return try? ServerEvent(parsing: event.data)
    }
    for events in [socket.events, streamed] {
      #expect(events.compactMap(Heard.init) == log)
      #expect(!events.contains { if case .gap = $0 { true } else { false } })
    }
    #expect(!socket.isClosed)
    #expect(!stream.arrivals.all.contains { if case .closed = $0 { true } else { false } })
  }

  func leave() {
    socket.abort()
    stream.abort()
  }
}

/// A way in which a Redis that can be reached is of no use.
struct RedisTrouble: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// Of the server.
  var arguments: [String] = []
  var fileLimit: Int?
  /// What was published before can be read meanwhile, and nothing that was refused is in the log.
  let readsAreServed: Bool
  /// Tells an operator what it is.
  let word: String
  /// The series that counts it.
  let count: String
  let begin: @Sendable (RedisServer, CuttableProxy, LoneNode) async throws -> Void
  let end: @Sendable (RedisServer, CuttableProxy) throws -> Void

  private static func expectDone(_ answer: String) { #expect(answer == "OK") }

  private static let refused = #"sluice_redis_refused_total{by="redis"}"#
  private static let strange = "sluice_redis_strange_answers_total"

  static let all = [
    RedisTrouble(
      testDescription: "OOM",
      readsAreServed: true,
      word: "maxmemory",
      count: refused,
      begin: { server, _, _ in try expectDone(server.tell("CONFIG", "SET", "maxmemory", "1")) },
      end: { server, _ in try expectDone(server.tell("CONFIG", "SET", "maxmemory", "0")) }
    ),
    RedisTrouble(
      testDescription: "MISCONF, for a full disk",
      arguments: ["--appendonly", "yes"],
      fileLimit: 256 << 10,
      readsAreServed: true,
      word: "disk",
      count: refused,
      begin: { _, _, node in
        let data = "\"\(String(repeating: "x", count: 4_000))\""
        try await eventually("a full disk") {
          try await HTTP.publish("refused:b", data, to: node.endpoint).status == .serviceUnavailable
        }
      },
      end: { server, _ in try server.unlimitFiles() }
    ),
    RedisTrouble(
      testDescription: "READONLY, as a replica of nobody",
      readsAreServed: false,
      word: "replica",
      count: refused,
      begin: { server, _, _ in try expectDone(server.tell("REPLICAOF", "127.0.0.1", "1")) },
      end: { server, _ in try expectDone(server.tell("REPLICAOF", "NO", "ONE")) }
    ),
    RedisTrouble(
      testDescription: "NOPERM",
      readsAreServed: false,
      word: "NOPERM",
      count: refused,
      begin: { server, _, _ in
        try expectDone(server.tell("ACL", "SETUSER", "default", "-eval", "-evalsha"))
      },
      end: { server, _ in try expectDone(server.tell("ACL", "SETUSER", "default", "+@all")) }
    ),
    RedisTrouble(
      testDescription: "LOADING",
      readsAreServed: false,
      word: "loading",
      count: "sluice_redis_breaker_trips_total",
      begin: { _, proxy, _ in proxy.answer("-LOADING Redis is loading the dataset in memory\r\n") },
      end: { _, proxy in proxy.answer(nil) }
    ),
    RedisTrouble(
      testDescription: "answers of something else",
      readsAreServed: false,
      word: "Redis",
      count: strange,
      begin: { _, proxy, _ in proxy.answer("HTTP/1.1 502 Bad Gateway\r\n\r\n") },
      end: { _, proxy in proxy.answer(nil) }
    ),
    RedisTrouble(
      testDescription: "answers to another question",
      readsAreServed: false,
      word: "Redis",
      count: strange,
      begin: { _, proxy, _ in proxy.answer(":1\r\n") },
      end: { _, proxy in proxy.answer(nil) }
    ),
    RedisTrouble(
      testDescription: "answers that come too late",
      readsAreServed: false,
      word: "Redis",
      count: "sluice_redis_timeouts_total",
      begin: { _, proxy, _ in proxy.delay(.seconds(3)) },
      end: { _, proxy in proxy.delay(.zero) }
    ),
  ]
}
