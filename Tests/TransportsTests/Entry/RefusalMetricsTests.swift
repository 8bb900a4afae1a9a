import NIOCore
import NIOEmbedded
import Telemetry
import Testing
import Wire

@testable import Transports

/// What the limits of HTTP refuse is counted, each once and under its own reason; what they let pass is not.
struct RefusalMetricsTests {
  private func limits() -> HTTPLimits {
    var limits = HTTPLimits()
    limits.headTimeout = .seconds(10)
    limits.bodyTimeout = .seconds(20)
    limits.idleTimeout = .seconds(40)
    return limits
  }

  /// Every reason that counts something.
  private func counted(_ entry: EmbeddedEntry) -> [String: UInt64] {
    var counted: [String: UInt64] = [:]
    for (reason, counter) in entry.loop.refused.all where counter.value > 0 {
      counted[reason] = counter.value
    }
    return counted
  }

  private static let hello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"

  @Test(
    arguments: [
      ("GET /\(String(repeating: "a", count: 9_000)) HTTP/1.1\r\nHost: a\r\n\r\n", "414", "target_size"),
      ("GET /hello HTTP/1.1\r\nX: \(String(repeating: "a", count: 20_000))\r\n\r\n", "431", "head_size"),
      (
        "GET /hello HTTP/1.1\r\n\(String(repeating: "X: y\r\n", count: 200))\r\n\r\n", "431", "head_size"
      ),
      ("POST /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n", "413", "body_size"),
      (
        "POST /echo/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
          + "65\r\n\(String(repeating: "a", count: 101))\r\n", "413", "body_size"
      ),
      ("GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na", "413", "body_size"),
    ]
  )
  func whatIsTooLargeIsCounted(_ request: String, _ status: String, _ reason: String) throws {
    let entry = try EmbeddedEntry()
    try entry.send(request)
    #expect(try entry.takeStatuses() == [status])
    #expect(counted(entry) == [reason: 1])
  }

  @Test func otherRefusalsAreNotThoseOfALimit() throws {
    let entry = try EmbeddedEntry()
    try entry.send("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n")
    try entry.send("PUT /hello HTTP/1.1\r\nHost: a\r\n\r\n")
    try entry.send("garbage\r\n\r\n")
    #expect(try entry.takeStatuses() == ["404", "405", "400"])
    #expect(counted(entry) == [:])
  }

  @Test func whoTakesTooLongIsCounted() throws {
    let silent = try EmbeddedEntry(limits: limits())
    try silent.advance(.seconds(11))
    #expect(counted(silent) == ["head_time": 1])
    #expect(try silent.takeStatuses() == [])

    let slowHead = try EmbeddedEntry(limits: limits())
    try slowHead.send("GET /hello HT")
    try slowHead.advance(.seconds(11))
    #expect(try slowHead.takeStatuses() == ["408"])
    #expect(counted(slowHead) == ["head_time": 1])

    let slowBody = try EmbeddedEntry(limits: limits())
    try slowBody.send("POST /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
    try slowBody.advance(.seconds(11))
    #expect(counted(slowBody) == [:])
    try slowBody.advance(.seconds(11))
    #expect(try slowBody.takeStatuses() == ["408"])
    #expect(counted(slowBody) == ["body_time": 1])

    let idle = try EmbeddedEntry(limits: limits())
    try idle.send(RefusalMetricsTests.hello)
    try idle.advance(.seconds(39))
    #expect(counted(idle) == [:])
    try idle.advance(.seconds(2))
    #expect(counted(idle) == ["idle": 1])

    // A second request has the time of a head again.
    let again = try EmbeddedEntry(limits: limits())
    try again.send(RefusalMetricsTests.hello)
    try again.send("GET /hello HT")
    try again.advance(.seconds(11))
    #expect(try again.takeStatuses() == ["200", "408"])
    #expect(counted(again) == ["head_time": 1])
  }

  @Test func whoMayNotStayIsCountedForThatAlone() throws {
    let entry = try EmbeddedEntry(limits: limits())
    let handler = try entry.channel.pipeline.syncOperations.handler(type: HTTPConnectionHandler.self)
    handler.refusal = ConnectionRefusal(ClientError(.overloaded, "full"))
    try entry.advance(.seconds(11))
    #expect(counted(entry) == [:])
  }

  @Test func whoFindsNoRoomToWaitIsCounted() throws {
    var limits = limits()
    limits.idleConnections = 1
    let first = try EmbeddedEntry(limits: limits)
    try first.send(RefusalMetricsTests.hello)
    let second = try EmbeddedEntry(beside: first)
    try second.send(RefusalMetricsTests.hello)
    #expect(try second.takeOutput().contains("Connection: close\r\n"))
    #expect(counted(first) == ["idle_connections": 1])
    // Who wants to go is not kept from anything.
    let third = try EmbeddedEntry(beside: first)
    try third.send("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    // Nor is anybody once the listener closes.
    first.loop.stopKeepingAlive()
    let fourth = try EmbeddedEntry(beside: first)
    try fourth.send(RefusalMetricsTests.hello)
    #expect(counted(first) == ["idle_connections": 1])
  }
}
