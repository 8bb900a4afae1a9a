public import Framing
public import NIOCore
public import NIOHTTP1
public import Wire

/// One WebSocket to a node. Everything about it happens on its loop, its methods are to be called there.
///
/// It answers pings and the close handshake itself. What happens is told to `events`, `closed` last and exactly
/// once; after that nothing is told and everything is let go.
public final class WebSocketConnection {
  public enum Event: Sendable {
    /// The handshake succeeded.
    case opened(HandshakeAnswer)
    /// Valid UTF-8. It may share the storage of what was received: copy what is kept.
    case text(ByteBuffer)
    case binary(ByteBuffer)
    /// A ping that was answered.
    case ping
    case pong(ByteBuffer)
    case closed(Closure)
  }

  /// How a connection ended.
  public enum Closure: Sendable {
    /// There was no TCP connection, or it broke before the handshake was answered.
    case failed(String)
    /// The handshake was answered with something other than `101`.
    case refused(HandshakeAnswer)
    /// By a close frame of the server, or the answer to ours.
    case closed(code: UInt16?, reason: String)
    /// The TCP connection ended without a close frame, or the server broke the protocol.
    case lost(String)
  }

  public let loop: any EventLoop
  let path: String
  let headers: HTTPHeaders
  let authority: String
  let maximumMessageSize: Int
  private var events: ((Event) -> Void)?
  private var channel: (any Channel)?
  private var isAborted = false
  private var isReading = true

  /// Whether there is or was a TCP connection: when there was none, its end says nothing of the server.
  public private(set) var wasConnected = false
  /// When something last arrived.
  public internal(set) var lastHeard = NIODeadline.now()
  /// Whether messages can be sent.
  public private(set) var isOpen = false

  /// Begins to connect. To be called on `loop`.
  /// - Parameters:
  ///   - path: with its query, as in `/v1/socket?session=…`.
  ///   - headers: beside those of the handshake.
  public init(
    to endpoint: Endpoint,
    path: String = "/v1/socket",
    headers: HTTPHeaders = [:],
    maximumMessageSize: Int = 1 << 20,
    on loop: any EventLoop,
    events: @escaping (Event) -> Void
  ) {
    self.loop = loop
    self.path = path
    self.headers = headers
    self.maximumMessageSize = maximumMessageSize
    self.events = events
    authority = endpoint.authority
    let connected = endpoint.connect(on: loop) { channel in
      self.channel = channel
      try channel.pipeline.syncOperations.addHandler(WebSocketClientHandler(self))
    }
    connected.assumeIsolated().whenComplete { result in
      switch result {
      case .failure(let error): self.tell(.closed(.failed(ConnectFailure.reason(error))))
      case .success(let channel):
        self.wasConnected = true
        if self.isAborted { channel.close(promise: nil) }
        if !self.isReading { channel.setReading(false) }
      }
    }
  }

  /// Sends a text message.
  public func send(text: ByteBuffer) {
    sendFrame(.text, text)
  }

  public func send(_ request: ClientRequest) {
    guard isOpen else { return }
    var text = ByteBuffer()
    request.write(into: &text)
    sendFrame(.text, text)
  }

  /// Sends one frame, which need not be a whole message.
  public func sendFrame(_ opcode: WebSocketOpcode, isFinal: Bool = true, _ payload: ByteBuffer) {
    guard isOpen, let channel else { return }
    var frame = ByteBuffer()
    WebSocketFrame.write(opcode, isFinal: isFinal, payload: payload, mask: .random(), into: &frame)
    channel.writeAndFlush(frame, promise: nil)
  }

  public func sendPing(_ payload: ByteBuffer = ByteBuffer()) {
    sendFrame(.ping, payload)
  }

  /// Sends bytes as they are, to try what a server makes of them.
  public func send(raw bytes: ByteBuffer) {
    guard isOpen else { return }
    channel?.writeAndFlush(bytes, promise: nil)
  }

  /// Begins the close handshake; the server has five seconds to answer.
  public func close(code: CloseCode = .normal, reason: String = "") {
    guard isOpen, let channel else { return abort() }
    isOpen = false
    var frame = ByteBuffer()
    WebSocketFrame.writeClose(code: code, reason: reason, mask: .random(), into: &frame)
    channel.writeAndFlush(frame, promise: nil)
    loop.assumeIsolated().scheduleTask(in: .seconds(5)) { channel.close(promise: nil) }
  }

  /// Cuts the TCP connection.
  public func abort() {
    isAborted = true
    isOpen = false
    channel?.close(promise: nil)
  }

  /// Changes the pace of a connection whose endpoint has a `readRate`; nil lifts it.
  public func setReadRate(_ bytesPerSecond: Int?) {
    channel?.setReadRate(bytesPerSecond)
  }

  /// Stops taking what comes, which then stays with the server, or goes on.
  public func setReading(_ isReading: Bool) {
    guard isReading != self.isReading else { return }
    self.isReading = isReading
    if isReading { lastHeard = .now() }
    channel?.setReading(isReading)
  }

  func tell(_ event: Event) {
    switch event {
    case .opened: isOpen = true
    case .closed:
      isOpen = false
      let events = events.take()
      channel = nil
      events?(event)
      return
    default: break
    }
    events?(event)
  }

  /// The server has closed, or broken the protocol: no message is sent any more.
  func stopSending() {
    isOpen = false
  }
}

@available(*, unavailable)
extension WebSocketConnection: Sendable {}
