import Framing
import NIOCore
import NIOEmbedded
import Testing
import Wire

@testable import Transports

struct WebSocketConnectionTests {
  /// Echoes, and remembers what it was told.
  final class Owner: WebSocketOwner {
    var isWritable: [Bool] = []
    var ends: [WebSocketEnd] = []
    var messages = 0
    var fragments = 0
    /// What has come, and how much of that it takes.
    var bytes = 0
    var mostBytes = Int.max
    /// Called with how many messages have come, before each is answered; and after those of a turn.
    var onMessage: (Int) -> Void = { _ in }
    var onTaken: () -> Void = {}

    func opened(_ connection: WebSocketConnection<Owner>) {
      var welcome = ByteBuffer()
      WebSocketFrame.write(text: "welcome", into: &welcome)
      connection.write(welcome)
    }

    func messageArrived(
      _ kind: WebSocketDecoder.MessageKind,
      _ payload: ByteBuffer,
      on connection: WebSocketConnection<Owner>
    ) {
      self.messages += 1
      self.onMessage(self.messages)
      if String(buffer: payload) == "leave" { return connection.close(.drain, reason: "as told") }
      var frame = ByteBuffer()
      WebSocketFrame.write(kind.opcode, payload: payload, into: &frame)
      connection.write(frame)
    }

    func messagesTaken(on connection: WebSocketConnection<Owner>) { self.onTaken() }

    func takes(bytes: Int, on connection: WebSocketConnection<Owner>) -> Bool {
      self.bytes += bytes
      guard self.bytes > self.mostBytes else { return true }
      connection.close(.policy, reason: "too much")
      return false
    }

    func fragmentsArrived(_ count: Int, on connection: WebSocketConnection<Owner>) {
      self.fragments += count
      if self.fragments > 1_000 { connection.close(.policy, reason: "enough") }
    }

    func writabilityChanged(_ isWritable: Bool, on connection: WebSocketConnection<Owner>) {
      self.isWritable.append(isWritable)
    }

    func closed(_ connection: WebSocketConnection<Owner>, because reason: WebSocketEnd) {
      self.ends.append(reason)
    }
  }

  /// A connection after its handshake, without a socket.
  final class Harness {
    let channel = EmbeddedChannel()
    let owner = Owner()
    let connection: WebSocketConnection<Owner>
    let wheel: TimerWheel
    let pauses = TimerWheelTests.Pauses()
    let work = Work()
    let turns: SharedTurns

    init(inflater: Inflater? = nil, _ change: (inout WebSocketSettings) -> Void = { _ in }) throws {
      var settings = WebSocketSettings(maximumMessageSize: 1000)
      change(&settings)
      let (loop, pauses) = (self.channel.embeddedEventLoop, self.pauses)
      self.wheel = TimerWheel(eventLoop: loop) { loop.now + pauses.sum }
      self.turns = self.work.turns(on: loop)
      self.connection = WebSocketConnection(
        owner: self.owner,
        settings: settings,
        wheel: self.wheel,
        turns: self.turns,
        inflater: inflater
      )
      try self.channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
      try self.channel.pipeline.syncOperations.addHandler(self.connection)
      self.connection.flush()
      _ = try self.takeEvents()
    }

    deinit {
      self.channel.close(promise: nil)
      self.channel.embeddedEventLoop.run()
    }

    func send(_ frames: ByteBuffer...) throws {
      for frame in frames { try self.channel.writeInbound(frame) }
    }

    func takeEvents() throws -> [WebSocketDecoder.Event] {
      self.channel.embeddedEventLoop.run()
      var decoder = WebSocketDecoder(role: .client, maximumMessageSize: 1 << 20)
      var events: [WebSocketDecoder.Event] = []
      while let bytes = try self.channel.readOutbound(as: ByteBuffer.self) {
        decoder.append(bytes)
        while let event = try decoder.next() { events.append(event) }
      }
      return events
    }

    func setWritable(_ isWritable: Bool) {
      self.channel.isWritable = isWritable
      self.channel.pipeline.fireChannelWritabilityChanged()
    }
  }

  private func text(_ text: String) -> ByteBuffer { WebSocketClient.frame(.text, ByteBuffer(string: text)) }

  @Test func deliversAndAnswersPings() throws {
    let harness = try Harness()
    try harness.send(self.text("a"), WebSocketClient.frame(.ping, ByteBuffer(string: "p")), self.text("b"))
    #expect(try harness.takeEvents() == [.text("a"), .pong(ByteBuffer(string: "p")), .text("b")])
    try harness.send(WebSocketClient.frame(.pong, ByteBuffer(string: "unasked")))
    #expect(try harness.takeEvents() == [])
    #expect(harness.owner.ends.isEmpty)
  }

  /// Also those without a byte in them, of which a message never grows.
  @Test func framesThatGoOnWithAMessageAreCounted() throws {
    let harness = try Harness()
    try harness.send(self.text("whole"))
    #expect(harness.owner.fragments == 0)
    let empty: [UInt8] = [0x00, 0x80, 0, 0, 0, 0]
    try harness.send(ByteBuffer(bytes: [0x01, 0x81, 0, 0, 0, 0, 0x61] + empty + empty))
    #expect(harness.owner.fragments == 2 && harness.owner.messages == 1)
    try harness.send(ByteBuffer(bytes: [0x80, 0x81, 0, 0, 0, 0, 0x62]))
    #expect(harness.owner.fragments == 3 && harness.owner.messages == 2)
    #expect(try harness.takeEvents() == [.text("whole"), .text("ab")])
    try harness.send(ByteBuffer(bytes: [0x01, 0x81, 0, 0, 0, 0, 0x61] + (0..<2_000).flatMap { _ in empty }))
    #expect(try harness.takeEvents() == [.close(code: .policy, reason: "enough")])
    #expect(harness.owner.ends == [.weClosed(.policy)])
  }

  private func compressed(_ text: String) -> ByteBuffer {
    var payload = ByteBuffer()
    Deflater().deflate(ByteBuffer(string: text), into: &payload)
    var frame = WebSocketClient.frame(.text, payload)
    // RSV1 (RFC 7692 section 6).
    frame.setInteger(frame.readableBytesView[frame.readerIndex] | 0x40, at: frame.readerIndex)
    return frame
  }

  /// However few bytes were sent for it; but never less than those.
  @Test func aCompressedMessageCostsWhatItIsOnceInflated() throws {
    let harness = try Harness(inflater: Inflater()) { $0.maximumMessageSize = 10_000 }
    let (long, short) = (String(repeating: "a", count: 5_000), "b")
    var frame = self.compressed(long)
    #expect(frame.readableBytes < 200)
    try harness.send(frame)
    // The frame's header, of which there may be 14 bytes, was sent besides.
    #expect((5_000...5_014).contains(harness.owner.bytes))
    frame = self.compressed(short)
    harness.owner.bytes = 0
    try harness.send(frame)
    #expect(harness.owner.bytes == frame.readableBytes)
    #expect(try harness.takeEvents() == [.text(long), .text(short)])

    harness.owner.bytes = 0
    harness.owner.mostBytes = 4_000
    try harness.send(self.compressed(long), self.text("late"))
    #expect(harness.owner.messages == 2)
    #expect(try harness.takeEvents() == [.close(code: .policy, reason: "too much")])
    #expect(harness.owner.ends == [.weClosed(.policy)])
  }

  @Test(arguments: [nil, CloseCode.normal, .goingAway, CloseCode(rawValue: 3000)])
  func answersACloseWithItsCode(code: CloseCode?) throws {
    let harness = try Harness()
    try harness.send(self.text("a"), WebSocketClient.close(code, "bye"), self.text("late"))
    #expect(try harness.takeEvents() == [.text("a"), .close(code: code, reason: "")])
    #expect(harness.owner.ends == [.peerClosed(code: code, reason: code == nil ? "" : "bye")])
    #expect(harness.owner.messages == 1)
    #expect(!harness.connection.isOpen && harness.wheel.count == 0)
  }

  @Test func tellsAViolatorWhy() throws {
    let harness = try Harness()
    try harness.send(self.text("a"), ByteBuffer(bytes: [0x81, 0x01, 0x61]))
    let events = try harness.takeEvents()
    #expect(events.count == 2)
    guard case .close(.protocolError?, let reason) = events[1] else {
      Issue.record("\(events)")
      return
    }
    #expect(!reason.isEmpty)
    #expect(harness.owner.ends == [.violation(WebSocketViolation(closeCode: .protocolError, reason: reason))])
    try harness.send(self.text("late"))
    #expect(harness.owner.messages == 1)
  }

  @Test func waitsForTheAnswerToItsClose() throws {
    let harness = try Harness()
    try harness.send(self.text("leave"), self.text("late"))
    #expect(try harness.takeEvents() == [.close(code: .drain, reason: "as told")])
    #expect(harness.owner.ends == [.weClosed(.drain)])
    #expect(harness.channel.isActive)
    harness.connection.write(self.text("nothing"))
    harness.connection.close(.policy)
    harness.connection.flush()
    #expect(try harness.takeEvents() == [])
    try harness.send(WebSocketClient.close(.drain))
    #expect(try harness.takeEvents() == [])
    #expect(!harness.channel.isActive)
    #expect(harness.owner.ends.count == 1 && harness.owner.messages == 1)

    let deaf = try Harness()
    deaf.connection.close(.policy)
    deaf.channel.embeddedEventLoop.advanceTime(by: .milliseconds(900))
    #expect(deaf.channel.isActive)
    deaf.channel.embeddedEventLoop.advanceTime(by: .milliseconds(400))
    #expect(!deaf.channel.isActive)
  }

  @Test func reportsALostConnectionOnce() throws {
    let harness = try Harness()
    harness.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    #expect(!harness.channel.isActive)
    #expect(harness.owner.ends == [.lost])
    #expect(harness.connection.context == nil)
  }

  /// A flush may find that the socket is closed.
  @Test func endsOnceWhenItsCloseCannotBeSent() throws {
    let harness = try Harness()
    try harness.channel.pipeline.syncOperations.addHandler(FailingFlush(), position: .first)
    harness.connection.close(.policy)
    #expect(harness.owner.ends == [.weClosed(.policy)])
    #expect(harness.connection.context == nil && harness.wheel.count == 0)
    guard case .gone = harness.connection.phase else {
      Issue.record("\(harness.connection.phase)")
      return
    }
  }

  @Test func forgetsWhoIsLostWithAPing() throws {
    let harness = try Harness()
    try harness.channel.pipeline.syncOperations.addHandler(FailingFlush(), position: .first)
    harness.channel.embeddedEventLoop.advanceTime(by: .seconds(26))
    #expect(harness.owner.ends == [.lost])
    #expect(harness.wheel.count == 0)
  }

  /// What a socket does whose other end has reset the connection.
  private final class FailingFlush: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    func flush(context: ChannelHandlerContext) {
      context.fireChannelInactive()
    }
  }

  @Test func pingsTheSilentAndCutsTheDead() throws {
    let harness = try Harness()
    let loop = harness.channel.embeddedEventLoop
    loop.advanceTime(by: .seconds(20))
    try harness.send(self.text("still here"))
    #expect(try harness.takeEvents() == [.text("still here")])
    loop.advanceTime(by: .milliseconds(24_500))
    #expect(try harness.takeEvents() == [])
    loop.advanceTime(by: .seconds(1))
    #expect(try harness.takeEvents() == [.ping(ByteBuffer())])
    try harness.send(WebSocketClient.frame(.pong, ByteBuffer()))
    loop.advanceTime(by: .seconds(24))
    #expect(try harness.takeEvents() == [])
    loop.advanceTime(by: .seconds(2))
    #expect(try harness.takeEvents() == [.ping(ByteBuffer())])
    loop.advanceTime(by: .seconds(8))
    #expect(harness.owner.ends.isEmpty)
    loop.advanceTime(by: .seconds(3))
    #expect(try harness.takeEvents() == [.close(code: .policy, reason: "no answer to a ping")])
    #expect(harness.owner.ends == [.silent])
    #expect(harness.wheel.count == 0)
  }

  /// Nothing was read meanwhile.
  @Test(arguments: [1_000, 9_900, 19_900])
  func aPauseIsNoSilenceOfThePeer(millisecondsAfterTheLastWord milliseconds: Int64) throws {
    let harness = try Harness { $0.pingAfter = .seconds(10) }
    let loop = harness.channel.embeddedEventLoop
    loop.advanceTime(by: .milliseconds(milliseconds))
    let wasPinged = try harness.takeEvents() == [.ping(ByteBuffer())]
    #expect(wasPinged == (milliseconds > 10_000))
    harness.pauses.sum = .minutes(5)
    // The wheel may turn before the loop comes to read.
    loop.advanceTime(by: .milliseconds(250))
    #expect(try harness.takeEvents() == [])
    if wasPinged { try harness.send(WebSocketClient.frame(.pong, ByteBuffer())) }
    for _ in 0..<60 {
      loop.advanceTime(by: .seconds(1))
      for event in try harness.takeEvents() {
        #expect(event == .ping(ByteBuffer()))
        try harness.send(WebSocketClient.frame(.pong, ByteBuffer()))
      }
    }
    #expect(harness.owner.ends.isEmpty && harness.connection.isOpen)
  }

  @Test func whoIsDeadBeforeAPauseIsSoAfterIt() throws {
    let harness = try Harness()
    let loop = harness.channel.embeddedEventLoop
    loop.advanceTime(by: .seconds(30))
    #expect(try harness.takeEvents() == [.ping(ByteBuffer())])
    harness.pauses.sum = .minutes(5)
    loop.advanceTime(by: .milliseconds(4_500))
    #expect(harness.owner.ends.isEmpty)
    loop.advanceTime(by: .milliseconds(2_500))
    #expect(harness.owner.ends == [.silent])
    loop.advanceTime(by: .seconds(3))
    #expect(!harness.channel.isActive && harness.wheel.count == 0)
  }

  @Test(arguments: [1, 5, 10, 25, 40])
  func keepsWhoOnlyAnswersPingsHoweverLongAPongMayTake(_ seconds: Int64) throws {
    let harness = try Harness { $0.pongWithin = .seconds(seconds) }
    let loop = harness.channel.embeddedEventLoop
    for _ in 0..<5 {
      var events: [WebSocketDecoder.Event] = []
      for _ in 0..<60 where events.isEmpty {
        loop.advanceTime(by: .seconds(1))
        events = try harness.takeEvents()
      }
      #expect(events == [.ping(ByteBuffer())])
      try harness.send(WebSocketClient.frame(.pong, ByteBuffer()))
    }
    #expect(harness.owner.ends.isEmpty)
  }

  @Test func readsNothingWhileItCannotAnswer() throws {
    let harness = try Harness()
    harness.setWritable(false)
    try harness.send(
      self.text("a"),
      WebSocketClient.frame(.ping, ByteBuffer(string: "p")),
      WebSocketClient.close(.normal)
    )
    #expect(harness.owner.messages == 0)
    harness.channel.embeddedEventLoop.advanceTime(by: .minutes(5))
    #expect(try harness.takeEvents() == [])
    #expect(harness.owner.ends.isEmpty)
    harness.setWritable(true)
    #expect(
      try harness.takeEvents()
        == [.text("a"), .pong(ByteBuffer(string: "p")), .close(code: .normal, reason: "")]
    )
    #expect(harness.owner.isWritable == [false, true])
  }
}
