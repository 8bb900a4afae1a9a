import Framing
public import NIOCore

/// The body of an answer that is being sent bit by bit. Confined to the connection's event loop.
///
/// Whatever is called after ``end()``, or after the client has gone, does nothing.
public final class BodyStream {
  private var connection: HTTPConnectionHandler?
  private let keepsAlive: Bool
  /// Whether the body is in chunks: then what is written to ``context`` directly, or by ``writeFramed(_:)``, must
  /// be as ``ChunkedBody`` writes it.
  public let isChunked: Bool

  /// Called when the socket's buffer passes a water mark, with whether it is writable now.
  public var onWritabilityChanged: ((Bool) -> Void)?
  /// Called at most once, when the client goes away before ``end()``.
  public var onGone: (() -> Void)?

  init(connection: HTTPConnectionHandler, isChunked: Bool, keepsAlive: Bool) {
    self.connection = connection
    self.isChunked = isChunked
    self.keepsAlive = keepsAlive
  }

  public var isOpen: Bool { self.connection != nil }

  public var isWritable: Bool { self.context?.channel.isWritable ?? false }

  /// For who writes framed bytes itself, to many streams at once; nil once the stream has ended or its client gone.
  public var context: ChannelHandlerContext? { self.connection?.context }

  /// Sends a piece of the body, as one chunk, with the next ``flush()``.
  public func write(_ content: ByteBuffer) {
    guard self.isChunked else { return self.writeFramed(content) }
    var framed = ByteBuffer()
    ChunkedBody.write(chunkOf: content, into: &framed)
    self.writeFramed(framed)
  }

  /// Sends bytes that are already framed as ``isChunked`` demands, with the next ``flush()``.
  public func writeFramed(_ bytes: ByteBuffer) {
    self.connection?.write(bytes)
  }

  public func flush() {
    self.connection?.flush()
  }

  /// Ends the body. The connection then serves the next request, or closes.
  public func end() {
    guard let connection = self.take() else { return }
    if self.isChunked { connection.write(ChunkedBody.last) }
    connection.finishedAnswer(keepsAlive: self.keepsAlive)
  }

  func writabilityChanged(_ isWritable: Bool) {
    self.onWritabilityChanged?(isWritable)
  }

  func clientWent() {
    let onGone = self.onGone
    _ = self.take()
    onGone?()
  }

  private func take() -> HTTPConnectionHandler? {
    defer {
      self.connection = nil
      self.onGone = nil
      self.onWritabilityChanged = nil
    }
    return self.connection
  }
}

@available(*, unavailable)
extension BodyStream: Sendable {}
