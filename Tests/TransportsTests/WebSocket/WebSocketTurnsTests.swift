import Framing
import NIOCore
import NIOEmbedded
import Testing
import Wire

@testable import Transports

/// One who says much, beside the others of its loop.
struct WebSocketTurnsTests {
  private func texts(_ count: Int) -> ByteBuffer {
    ByteBuffer(
      bytes: (0..<count).flatMap {
        Array(WebSocketClient.frame(.text, ByteBuffer(string: "\($0)")).readableBytesView)
      }
    )
  }

  /// In pieces, and all of it, also when its sender is gone by then.
  @Test(arguments: [false, true]) func muchIsTakenBitByBit(isAlone: Bool) throws {
    let harness = try WebSocketConnectionTests.Harness()
    let channel = harness.channel
    harness.work.takes = .microseconds(30)
    let (many, loop) = (self.texts(100), channel.embeddedEventLoop)
    try harness.send(many)
    #expect((4..<12).contains(harness.owner.messages))
    var rounds = 0
    while harness.owner.messages < 100, rounds < 100 {
      let before = harness.owner.messages
      if rounds == 3, !isAlone {
        try harness.send(WebSocketClient.frame(.text, ByteBuffer(string: "last")))
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
      }
      #expect(channel.isActive && harness.owner.messages == before)
      loop.advanceTime(by: .microseconds(100))
      #expect((1..<8).contains(harness.owner.messages - before))
      rounds += 1
    }
    for _ in 0..<3 { loop.advanceTime(by: .microseconds(100)) }
    #expect(channel.isActive == isAlone)
    let said = (0..<100).map { WebSocketDecoder.Event.text("\($0)") }
    #expect(try harness.takeEvents() == (isAlone ? said : said + [.text("last")]))
    #expect(harness.owner.ends == (isAlone ? [] : [.lost]))
  }

  @Test func whoHasMuchToSayIsNotReadMeanwhile() throws {
    let harness = try WebSocketConnectionTests.Harness()
    let counter = ReadCounter()
    try harness.channel.pipeline.syncOperations.addHandler(counter, position: .first)
    harness.work.takes = .microseconds(30)
    try harness.send(self.texts(20))
    harness.channel.read()
    #expect(counter.reads == 0)
    for _ in 0..<20 { harness.channel.embeddedEventLoop.advanceTime(by: .microseconds(100)) }
    #expect(counter.reads == 1 && harness.owner.messages == 20)
  }

  /// What was written may leave, and the socket take bytes again, only when all that a read has brought was written.
  @Test func goesOnWhereTheLastFlushMakesRoom() throws {
    let harness = try WebSocketConnectionTests.Harness()
    let channel = harness.channel
    harness.owner.onMessage = { if $0 == 3 { harness.setWritable(false) } }
    harness.owner.onTaken = { if !channel.isWritable { harness.setWritable(true) } }
    defer { (harness.owner.onMessage, harness.owner.onTaken) = ({ _ in }, {}) }
    try harness.send(self.texts(10))
    #expect(harness.owner.messages == 3)
    channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
    #expect(harness.owner.messages == 10)
  }

  /// Whoever goes on sending fills no memory meanwhile.
  @Test func whoIsToldToCloseIsNotReadWhileItWaits() throws {
    let harness = try WebSocketConnectionTests.Harness()
    let counter = ReadCounter()
    try harness.channel.pipeline.syncOperations.addHandler(counter, position: .first)
    harness.work.takes = .microseconds(30)
    harness.connection.close(.policy, reason: "enough")
    try harness.send(self.texts(20))
    harness.channel.read()
    #expect(counter.reads == 0)
    for _ in 0..<20 { harness.channel.embeddedEventLoop.advanceTime(by: .microseconds(100)) }
    #expect(counter.reads == 1 && harness.owner.messages == 0)
  }

  @Test func whoSaysLittleWaitsForNobody() throws {
    let harness = try WebSocketConnectionTests.Harness()
    harness.work.takes = .seconds(1)
    let waits = Waiting()
    harness.turns.wait(waits)
    for count in [1, 2] {
      let before = harness.owner.messages
      try harness.send(self.texts(count))
      #expect(harness.owner.messages == before + count && !harness.connection.awaitsTurn)
    }
    try harness.send(self.texts(3))
    #expect(harness.connection.awaitsTurn)
    harness.work.takes = .zero
    for _ in 0..<3 { harness.channel.embeddedEventLoop.advanceTime(by: .microseconds(100)) }
    #expect(harness.owner.messages == 6 && waits.hasBeen)
  }

  private final class Waiting: TurnTaker {
    var hasBeen = false
    func takeTurn() { self.hasBeen = true }
  }
}
