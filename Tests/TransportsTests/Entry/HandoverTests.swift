import Framing
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing
import Wire

@testable import Transports

/// From a request to a WebSocket, whatever comes behind the request.
struct HandoverTests {
  private typealias Owner = WebSocketConnectionTests.Owner

  /// The parser does not take this for an upgrade, and reads on; the handshake does.
  private static let hidden = head(connection: "Upgrade\t")
  private static let plain = head(connection: "Upgrade")
  private static let next = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

  private static func head(connection: String) -> String {
    "GET /v1/socket HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nUpgrade: websocket\r\n"
      + "Connection: \(connection)\r\nSec-WebSocket-Version: 13\r\n"
      + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
  }

  private final class Client {
    let owner = Owner()
    let entry: EmbeddedEntry
    private let later = HTTPConversationTests.Later()
    private var waiting: (() -> Void)?

    init(isLate: Bool = false) throws {
      var open: ((@escaping () -> Void) -> Void)?
      let owner = self.owner
      let later = self.later
      self.entry = try EmbeddedEntry { routes in
        later.add(to: &routes)
        routes.add(.GET, "/v1/socket") { request, responder in
          open? {
            let settings = WebSocketSettings(maximumMessageSize: 100)
            WebSocketUpgrade.perform(request, responder, settings: settings) { _ in owner }
          }
        }
      }
      open = { [unowned self] in if isLate { self.waiting = $0 } else { $0() } }
    }

    func send(_ bytes: ByteBuffer...) throws {
      for bytes in bytes { try self.entry.channel.writeInbound(bytes) }
    }

    func answerLate() { self.waiting?() }

    func answerHeld() { self.later.responders.removeFirst().respond(.ok) }

    /// All that has come, which must begin with a handshake's answer.
    func events() throws -> [WebSocketDecoder.Event]? {
      self.entry.channel.embeddedEventLoop.run()
      var bytes = ByteBuffer()
      while var next = try self.entry.channel.readOutbound(as: ByteBuffer.self) { bytes.writeBuffer(&next) }
      return WebSocketClient.events(in: bytes)
    }

    var isActive: Bool { self.entry.channel.isActive }
  }

  private static func bytes(_ head: String, _ rest: ByteBuffer) -> ByteBuffer {
    var bytes = ByteBuffer(string: head)
    bytes.writeImmutableBuffer(rest)
    return bytes
  }

  /// The parser has eaten what was the WebSocket's.
  @Test(arguments: [false, true]) func endsWhenTheParserHasReadOn(_ isLate: Bool) throws {
    let frame = WebSocketClient.frame(.text, ByteBuffer(string: "a"))
    for rest in [ByteBuffer(string: Self.next), ByteBuffer(string: Self.next + Self.next), frame] {
      let client = try Client(isLate: isLate)
      try client.send(Self.bytes(Self.hidden, rest))
      client.answerLate()
      #expect(try client.events() == [.text("welcome")])
      #expect(!client.isActive)
      #expect(client.owner.ends == [.lost] && client.owner.messages == 0)
      #expect(client.entry.loop.connectionCount == 0)
    }
  }

  @Test(arguments: [hidden + next, plain + next], [false, true])
  func livesThroughEveryCut(_ text: String, _ isLate: Bool) throws {
    let bytes = Array(text.utf8)
    for cut in 0...bytes.count {
      let client = try Client(isLate: isLate)
      try client.send(ByteBuffer(bytes: bytes[..<cut]), ByteBuffer(bytes: bytes[cut...]))
      client.answerLate()
      #expect(try client.events()?.first == .text("welcome"))
      #expect(client.owner.ends.count <= 1 && client.owner.messages == 0)
      #expect(client.entry.loop.connectionCount == 0)
    }
  }

  @Test(arguments: [hidden, plain]) func opensWhenNothingComesBehind(_ head: String) throws {
    let client = try Client()
    try client.send(ByteBuffer(string: head), WebSocketClient.frame(.text, ByteBuffer(string: "a")))
    #expect(try client.events() == [.text("welcome"), .text("a")])
    #expect(client.isActive && client.owner.ends.isEmpty)
  }

  @Test(arguments: [false, true]) func theWebSocketGetsWhatCameBehindTheRequest(_ isLate: Bool) throws {
    let client = try Client(isLate: isLate)
    var frames = WebSocketClient.frame(.text, ByteBuffer(string: "a"))
    frames.writeImmutableBuffer(WebSocketClient.frame(.ping, ByteBuffer(string: "p")))
    try client.send(Self.bytes(Self.plain, frames))
    client.answerLate()
    #expect(try client.events() == [.text("welcome"), .text("a"), .pong(ByteBuffer(string: "p"))])
    #expect(client.isActive)
  }

  /// After a handshake that the parser understood a request is a frame, and a wrong one.
  @Test(arguments: [false, true]) func aRequestBehindTheHandshakeIsNoFrame(_ isLate: Bool) throws {
    let client = try Client(isLate: isLate)
    try client.send(ByteBuffer(string: Self.plain + Self.next))
    client.answerLate()
    let events = try #require(try client.events())
    #expect(events.count == 2 && events.first == .text("welcome"))
    guard case .close(.protocolError?, _)? = events.last else {
      Issue.record("\(events)")
      return
    }
    #expect(client.owner.ends.count == 1)
  }

  @Test func aHandshakeBehindAHeldRequestWaitsForIt() throws {
    let client = try Client()
    try client.send(ByteBuffer(string: "GET /held HTTP/1.1\r\nHost: x\r\n\r\n" + Self.hidden + Self.next))
    client.answerHeld()
    client.entry.channel.embeddedEventLoop.run()
    var text = ""
    while let bytes = try client.entry.channel.readOutbound(as: ByteBuffer.self) {
      text += String(buffer: bytes)
    }
    #expect(text.hasPrefix("HTTP/1.1 200 ") && text.contains("HTTP/1.1 101 ") && text.hasSuffix("welcome"))
    #expect(!client.isActive && client.owner.ends == [.lost])
  }

  /// Who has said meanwhile that nothing more comes need not be waited for.
  @Test func whoHasEndedBeforeItIsAnsweredIsNotHeld() throws {
    let client = try Client(isLate: true)
    try client.send(ByteBuffer(string: Self.plain))
    client.entry.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    #expect(client.entry.channel.isActive)
    client.answerLate()
    client.entry.channel.embeddedEventLoop.run()
    #expect(!client.entry.channel.isActive && client.owner.ends == [.lost])
  }
}
