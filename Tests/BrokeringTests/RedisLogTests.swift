import Brokering
import NIOCore
import RedisClient
import TestRedis
import Testing
import Wire

/// What happens to logs when Redis loses something.
@Suite(.serialized)
struct RedisLogTests {
  private let channel = ChannelName("short:a")!

  private func publish(_ port: PortProbe, _ texts: [String]) async throws -> MessageMark {
    for text in texts { _ = try await port.publish(channel, text) }
    let last = try #require(try await port.read(channel, .newest).messages.last)
    return MessageMark(cursor: last.cursor, time: last.time)
  }

  /// As a replica with less would have it.
  private func snapshot(_ cluster: RedisCluster) async throws -> [(String, ByteBuffer)] {
    var dumps: [(String, ByteBuffer)] = []
    for key in ["sluice:{short:a}:log", "sluice:{short:a}:meta"] {
      dumps.append((key, try #require(try await cluster.command("DUMP", .string(key)).bytes)))
    }
    return dumps
  }

  private func restore(_ dumps: [(String, ByteBuffer)], _ cluster: RedisCluster) async throws {
    for (key, dump) in dumps {
      _ = try await cluster.command("RESTORE", .string(key), 60_000, .bytes(dump), "REPLACE")
    }
  }

  @Test func aLogThatEndsBeforeItDidIsAnotherOne() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one")
    _ = try await publish(port, ["1", "2", "3"])
    let dumps = try await snapshot(cluster)
    let mark = try await publish(port, ["4", "5"])
    #expect(try await port.verify(channel, mark).epoch == mark.cursor.epoch)
    try await restore(dumps, cluster)
    let position = try await port.verify(channel, mark)
    #expect(position.epoch != mark.cursor.epoch)
    #expect(position.tail == 3 && position.oldest == 1)
    #expect(try await port.verify(channel, mark) == position)
    #expect(try await port.publish(channel, "6").cursor == Cursor(position.epoch, 4))
    await broker.shutdown()
  }

  @Test func anotherMessageUnderTheSameNumberIsFound() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one")
    _ = try await publish(port, ["1", "2", "3"])
    let dumps = try await snapshot(cluster)
    let mark = try await publish(port, ["4", "5"])
    try await restore(dumps, cluster)
    try await eventually("another millisecond") { WallClock.milliseconds() > mark.time + 1 }
    let other = try await publish(port, ["four", "five", "six"])
    #expect(other.cursor == Cursor(mark.cursor.epoch, 6))
    let position = try await port.verify(channel, mark)
    #expect(position.epoch != mark.cursor.epoch)
    #expect(position.tail == 5)
    await broker.shutdown()
  }

  @Test func aLogWithoutItsNumberBeginsAnEpoch() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one")
    let mark = try await publish(port, ["1", "2", "3"])
    _ = try await cluster.command("DEL", "sluice:{short:a}:meta")
    #expect(try await port.read(channel, .newest).position == nil)
    let receipt = try await port.publish(channel, "4")
    let cursor = try #require(receipt.cursor)
    #expect(cursor.epoch != mark.cursor.epoch && cursor.offset == 4)
    let page = try await port.read(channel, .since(.start))
    #expect(page.messages.map { String(buffer: $0.data) } == ["1", "2", "3", "4"])
    await broker.shutdown()
  }

  @Test func aNumberBehindItsLogBeginsAnEpoch() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one")
    let mark = try await publish(port, ["1", "2", "3"])
    _ = try await cluster.command("HSET", "sluice:{short:a}:meta", "offset", 1)
    let cursor = try #require(try await port.publish(channel, "4").cursor)
    #expect(cursor.epoch != mark.cursor.epoch && cursor.offset == 4)
    #expect(try await port.read(channel, .since(.start)).messages.map { $0.cursor.offset } == [1, 2, 3, 4])
    await broker.shutdown()
  }

  /// Who names ever new channels leaves little.
  @Test func anEpochWithoutMessagesLivesForAnHour() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one")
    let position = try await port.verify(channel, nil)
    #expect(position.tail == 0)
    let empty = try #require(try await cluster.command("TTL", "sluice:{short:a}:meta").integer)
    #expect((3_590...3_600).contains(empty))
    _ = try await port.publish(channel, "1")
    let held = try #require(try await cluster.command("TTL", "sluice:{short:a}:meta").integer)
    #expect((89_990...90_000).contains(held))
    await broker.shutdown()
  }

  /// Whoever listens to a channel that stays empty hears its first message in the epoch that he was told.
  @Test func anEmptyEpochLivesAsLongAsSomebodyIsAttached() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one") { $0.epochKeep = .milliseconds(50) }
    let position = try #require(try await port.attach(channel))
    for _ in 0..<2 {
      _ = try await cluster.command("EXPIRE", "sluice:{short:a}:meta", 60)
      try await eventually("it is kept on") {
        (try await cluster.command("TTL", "sluice:{short:a}:meta").integer ?? 0) > 3_600
      }
    }
    #expect(try await port.publish(channel, "1").cursor == Cursor(position.epoch, 1))
    await broker.shutdown()
  }

  @Test func anEpochOutlivesItsMessages() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one")
    let mark = try await publish(port, ["1", "2", "3"])
    let hour = try #require(try await cluster.command("TTL", "sluice:{short:a}:log").integer)
    let more = try #require(try await cluster.command("TTL", "sluice:{short:a}:meta").integer)
    #expect((3_590...3_600).contains(hour))
    #expect((89_990...90_000).contains(more))
    _ = try await cluster.command("DEL", "sluice:{short:a}:log")
    let page = try await port.read(channel, .since(.start))
    #expect(
      page == LogPage(position: LogPosition(epoch: mark.cursor.epoch, tail: 3, oldest: 4), messages: [])
    )
    #expect(try await port.publish(channel, "4").cursor == Cursor(mark.cursor.epoch, 4))
    await broker.shutdown()
  }

  /// What is too old is not held, though newer messages keep the log.
  @Test func theOldAreDroppedOneByOne() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one")
    let brief = ChannelName("brief:a")!
    for number in 1...150 { _ = try await port.publish(brief, "\(number)") }
    try await eventually("they are old") {
      _ = try await port.publish(brief, "x")
      let page = try await port.read(brief, .since(.start))
      guard let first = page.messages.first, first.cursor.offset > 150 else { return false }
      return page.position?.oldest == first.cursor.offset
        && page.messages.last?.cursor.offset == page.position?.tail
    }
    await broker.shutdown()
  }

  /// What a page has no room for is not looked at either, whatever came before it.
  @Test func aPageCostsRedisWhatItHas() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one")
    let channel = ChannelName("room:a")!
    let largest = NamespaceOptions().maxMessageBytes
    let long = "\"\(String(repeating: "x", count: largest - 2))\""
    for _ in 0..<100 { _ = try await port.publish(channel, "1") }
    for _ in 0..<150 { _ = try await port.publish(channel, long) }
    for range in [HistoryRange.newest, .since(.start)] {
      let commands = try await cluster.server.commands {
        let page = try await port.read(channel, range)
        #expect(page.messages.count == (range == .newest ? 16 : 115))
      }
      let counts = commands.compactMap { command in
        command.contains("RANGE\" ") ? Int(command.split(separator: "\"").last ?? "") : nil
      }
      #expect(!counts.isEmpty)
      #expect(counts.allSatisfy { $0 * largest <= 4 * LogPage.dataLimit }, "\(counts)")
      #expect(counts.count < 12)
    }
    await broker.shutdown()
  }

  @Test func largeOffsetsAreExact() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one")
    let position = try #require(try await port.attach(channel))
    let large = 9_007_199_254_740_000
    _ = try await cluster.command("HSET", "sluice:{short:a}:meta", "offset", .integer(large))
    for number in 1...7 {
      let cursor = try await port.publish(channel, "\(number)").cursor
      #expect(cursor == Cursor(position.epoch, UInt64(large + number)))
    }
    let page = try await port.read(channel, .since(.cursor(Cursor(position.epoch, UInt64(large + 5)))))
    #expect(page.messages.map { $0.cursor.offset } == [UInt64(large + 6), UInt64(large + 7)])
    #expect(page.position?.oldest == UInt64(large + 3))
    try await port.wait { $0.items.count == 7 }
    #expect(try await port.items(channel).last == "\(large + 7):7")
    await broker.shutdown()
  }

  @Test func usersAndBytesComeBackAsTheyWent() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one")
    _ = try await port.attach(channel)
    let data = ByteBuffer(string: #"{"t":"ü 😀 \u0000 \\ % $ \r"}"#)
    for user in [nil, "", "ä b\"\\", "x"] as [String?] {
      let publication = Publication(channel: channel, data: data, user: user, key: "a key: {\(user ?? "-")}")
      let first: Receipt = try await port.ask { port, done in port.publish(publication, done) }
      let again: Receipt = try await port.ask { port, done in port.publish(publication, done) }
      #expect(again == Receipt(cursor: first.cursor, isRepeated: true))
    }
    let held = try await port.read(channel, .since(.start)).messages
    #expect(held.map(\.user) == [nil, "", "ä b\"\\", "x"])
    #expect(held.allSatisfy { $0.data == data })
    try await port.wait { $0.items.count == 4 }
    let fed = try await port.heard { recorder in
      recorder.items.compactMap { item in if case .message(let message) = item.1 { message } else { nil } }
    }
    #expect(fed == held)
    await broker.shutdown()
  }
}
