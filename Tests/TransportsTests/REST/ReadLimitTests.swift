import Admission
import Brokering
import Delivery
import NIOCore
import Telemetry
import Testing
import Wire

@testable import Transports

/// Pages of logs that are asked for faster than the logs answer. (A node on a Redis that is slow is in the cluster's
/// tests.)
struct ReadLimitTests {
  /// Pages that one loop reads or has waiting, at the most.
  private static let most = Worker.mostReadsAtOnce + Worker.readsWaiting

  /// Who asks for pages, each with a number.
  private final class Reader {
    private let channel = ChannelName("room:a")!
    private var asked = 0
    /// Those that were read, and those that were refused.
    private(set) var pages: [Int] = []
    private(set) var refusals: [(number: Int, error: ClientError)] = []

    func ask(_ count: Int, of worker: Worker) {
      for number in asked..<asked + count {
        worker.readHistory(of: channel, .newest, limit: 1, by: Caller(from: .unknown), over: .rest) {
          [self] in
          switch $0 {
          case .success: pages.append(number)
          case .failure(let error): refusals.append((number, error))
          }
        }
      }
      asked += count
    }
  }

  /// What a page has in it costs as much as the asking, also where the answer has no body.
  @Test(arguments: ["GET", "HEAD"])
  func aPageIsChargedForWhatItHas(_ method: String) throws {
    let stage = try EmbeddedWorker {
      $0.reads = AddressRates(TokenBucket.Rate(perSecond: 1, burst: 5))
    }
    let long = "\"\(String(repeating: "x", count: 65_000))\""
    let channel = try #require(ChannelName("room:a"))
    for _ in 0..<4 { stage.publish(long, to: channel) }
    func status(_ path: String) throws -> String {
      let client = try stage.client("\(method) /v1/channels/room:a/messages\(path)")
      stage.advance()
      return try client.takeStatuses().joined()
    }
    #expect(try status("?limit=1") == "200")
    // The first page took one, this one takes four.
    #expect(try status("") == "200")
    #expect(try status("?limit=1") == "429")
    stage.advance(.seconds(1))
    #expect(try status("?limit=1") == "200")
  }

  @Test func whatMayNotWaitIsRefusedAndTheRestIsReadInTurn() throws {
    let stage = try EmbeddedWorker(LateBroker())
    let port = try #require(stage.worker.shard.port as? LatePort)
    let reader = Reader()
    reader.ask(Self.most, of: stage.worker)
    #expect(port.waiting == Worker.mostReadsAtOnce)
    #expect(reader.pages.isEmpty && reader.refusals.isEmpty)
    #expect(stage.metrics.over.reads.value == 0)

    let answer = try stage.client("GET /v1/channels/room:a/messages").takeOutput()
    #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.contains("\r\nRetry-After: 2\r\n"), "\(answer)")
    #expect(answer.contains(#""code":"overloaded""#), "\(answer)")
    #expect(stage.metrics.over.reads.value == 1)

    // Each that is answered makes room for one.
    port.answer(1)
    stage.advance()
    #expect(reader.pages == [0] && port.waiting == Worker.mostReadsAtOnce)
    reader.ask(2, of: stage.worker)
    #expect(reader.refusals.map(\.number) == [Self.most + 1])
    #expect(reader.refusals.map(\.error.code) == [.overloaded])
    #expect(stage.metrics.over.reads.value == 2)

    while port.waiting > 0 {
      #expect(port.waiting <= Worker.mostReadsAtOnce)
      port.answer()
      stage.advance()
    }
    #expect(reader.pages.elementsEqual(0...Self.most), "\(reader.pages.count) pages, in their turn")

    // And then it is as if nothing had been.
    let late = try stage.client("GET /v1/channels/room:a/messages")
    #expect(port.waiting == 1)
    port.answer()
    stage.advance()
    #expect(try late.takeStatuses() == ["200"])
    #expect(reader.refusals.count == 1 && stage.metrics.over.reads.value == 2)
  }

  /// Each of them fails within the answer to the one before it, however many there are.
  @Test func whatWaitsForALogThatIsLostIsToldSo() throws {
    let stage = try EmbeddedWorker(LateBroker())
    let port = try #require(stage.worker.shard.port as? LatePort)
    let reader = Reader()
    reader.ask(Self.most, of: stage.worker)
    port.isDown = true
    port.answer(1)
    stage.advance()
    #expect(reader.pages == [0] && port.waiting == Worker.mostReadsAtOnce - 1)
    #expect(reader.refusals.map(\.number).elementsEqual(Worker.mostReadsAtOnce..<Self.most))
    #expect(reader.refusals.allSatisfy { $0.error.code == .unavailable })
    #expect(stage.metrics.over.reads.value == 0)

    // Those that were asked for before are answered, and others are read again.
    port.isDown = false
    port.answer()
    stage.advance()
    #expect(reader.pages.elementsEqual(0..<Worker.mostReadsAtOnce))
    reader.ask(1, of: stage.worker)
    port.answer()
    stage.advance()
    #expect(reader.pages.last == Self.most)
  }
}
