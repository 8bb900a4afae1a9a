import Admission
import NIOCore
import NIOEmbedded
import Telemetry
import Testing
import Wire

@testable import Transports

/// Event streams that cannot begin now, of clients that come directly: what they are told, and when to come back.
struct RefusedStreamTests {
  /// What is held by nobody, and new channels that an address has had too many of.
  private func stage() throws -> EmbeddedWorker {
    let stage = try EmbeddedWorker { $0.follows = AddressRates(TokenBucket.Rate(perSecond: 1, burst: 1)) }
    try stage.client("GET /v1/poll?wait=0&channels=room:a,room:b")
    stage.advance()
    return stage
  }

  @Test func aStreamSaysWhyItEnds() throws {
    let stage = try stage()
    let client = try stage.client("GET /v1/stream?channels=room:c")
    stage.advance()
    let answer = try client.takeOutput()
    let wait = try #require(answer.firstMatch(of: /retry: ([0-9]+)\n\n/).flatMap { Int($0.1) })
    #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.hasSuffix("0\r\n\r\n"), "\(answer)")
    let data =
      #"{"type":"error","code":"rate_limited","message":"too many new channels of one address","#
      + #""retry_after_ms":\#(wait)}"#
    #expect(answer.contains("\n\nevent: error\ndata: \(data)\n\n"), "\(answer)")
  }

  /// An event without an id makes some forget where they were.
  @Test(
    arguments: [("room:c@abcdefgh.7", true), ("start", true), ("nonsense", false), ("", false)]
  )
  func itIsToldWhereItWas(_ last: String, _ isKept: Bool) throws {
    let stage = try stage()
    stage.worker.refuseNew(true)
    let client = try stage.client("GET /v1/stream?channels=room:c", headers: "Last-Event-ID: \(last)\r\n")
    stage.advance()
    let answer = try client.takeOutput()
    #expect(answer.contains("event: error\nid: \(last)\ndata: ") == isKept, "\(answer)")
    #expect(answer.contains(#""code":"draining""#) == (isKept || last.isEmpty), "\(answer)")
  }

  /// All who come from one address would come back at once.
  @Test func eachHasATimeOfItsOwn() throws {
    let stage = try stage()
    var waits: Set<Int> = []
    for _ in 0..<20 {
      let client = try stage.client("GET /v1/stream?channels=room:c")
      stage.advance(.zero)
      let wait = try client.takeOutput().firstMatch(of: /retry: ([0-9]+)\n/).flatMap { Int($0.1) }
      waits.insert(try #require(wait))
    }
    #expect(waits.count > 10)
  }

  @Test(arguments: ["connections", "address", "memory"])
  func atTheDoorToo(_ reason: String) throws {
    let refused = RefusalMetrics()
    let ledger = ConnectionLedger(
      maximum: reason == "connections" ? 0 : 1,
      maximumOfAddress: reason == "address" ? 1 : 0
    )
    let client = try SocketAddress(ipAddress: "192.0.2.1", port: 1)
    if reason == "address" { #expect(ledger.enterAddress(try #require(ClientAddress(client)))) }
    ledger.close(reason == "memory")
    let door = EntryDoor(ledger, courtesy: 20, refused: refused, isProxy: { _ in false })
    var waits: Set<Int> = []
    var channels: [EmbeddedChannel] = []
    defer { for channel in channels { _ = try? channel.finish(acceptAlreadyClosed: true) } }
    func comes() throws -> ClientError? {
      let channel = EmbeddedChannel()
      channel.remoteAddress = client
      channels.append(channel)
      return try door.enter(channel)
    }
    for _ in 0..<20 {
      let refusal = try #require(try comes())
      #expect(refusal.message.contains("memory") == (reason == "memory"))
      waits.insert(try #require(refusal.retryAfterMS))
    }
    #expect(waits.count > 10)
    // Beyond the courtesy they are closed without a word.
    #expect(throws: ChannelError.self) { try comes() }
    for (name, counter) in refused.all { #expect(counter.value == (name == reason ? 21 : 0), "\(name)") }
  }
}
