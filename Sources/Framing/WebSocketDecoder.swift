public import NIOCore
public import Wire

/// The receiving half of RFC 6455 for one connection: bytes in, whole messages and control frames out.
///
/// It is fed with ``append(_:)`` and asked with ``next()`` until that answers nil. It holds at most one
/// partial message and a few bytes of a partial header: a receive buffer is let go as soon as `next()` has
/// answered nil. After a violation or a close frame it ignores what follows (sections 5.5.1 and 7.1.7).
public struct WebSocketDecoder: Sendable {
  /// Which end of the connection decodes: it decides who must mask (section 5.1).
  public enum Role: Sendable {
    /// Reads a client's frames, all masked.
    case server
    /// Reads a server's frames, none masked.
    case client
  }

  public enum MessageKind: Sendable {
    case text
    case binary

    public var opcode: WebSocketOpcode {
      switch self {
      case .text: .text
      case .binary: .binary
      }
    }
  }

  public enum Event: Hashable, Sendable {
    /// A whole data message. Text is valid UTF-8. The buffer may be a slice of a larger receive buffer:
    /// copy what is kept for long.
    case message(MessageKind, ByteBuffer)
    /// A whole data message as it was compressed: only where that was agreed. Nothing is known of what it contains.
    case compressed(MessageKind, ByteBuffer)
    /// To be answered by a pong with the same payload, at most 125 bytes.
    case ping(ByteBuffer)
    case pong(ByteBuffer)
    /// The last event. The code is nil when the frame had none.
    case close(code: CloseCode?, reason: String)
  }

  public let role: Role
  /// The most bytes one message may have over all its fragments.
  public let maximumMessageSize: Int
  /// Whether messages may be compressed (RFC 7692).
  public let takesCompressed: Bool

  private var input = ByteBuffer()
  /// What has arrived of a message that came in more than one piece, unmasked.
  private var assembly = ByteBuffer()
  private var message: MessageInProgress?
  private var frame: FrameInProgress?
  private var hasEnded = false
  /// Frames that only went on with a message, since whoever counts them set it to 0.
  public var fragments = 0

  private struct MessageInProgress {
    let kind: MessageKind
    var isCompressed = false
    var utf8 = UTF8Validator()
  }

  /// A data frame whose header is consumed and whose payload is not all here.
  private struct FrameInProgress {
    let isFinal: Bool
    let mask: WebSocketMask?
    var consumed = 0
    var missing: Int
  }

  public init(role: Role, maximumMessageSize: Int, takesCompressed: Bool = false) {
    self.role = role
    self.takesCompressed = takesCompressed
    self.maximumMessageSize = maximumMessageSize
  }

  /// Whether bytes of a frame or fragments of a message wait for more.
  public var isInsideMessage: Bool {
    self.message != nil || self.input.readableBytes > 0
  }

  /// Takes received bytes.
  public mutating func append(_ bytes: ByteBuffer) {
    if self.hasEnded { return }
    if self.input.readableBytes == 0 {
      self.input = bytes
    } else {
      self.input.writeImmutableBuffer(bytes)
    }
  }

  /// The next event, or nil when more bytes are needed. Throws at most once.
  public mutating func next() throws(WebSocketViolation) -> Event? {
    do {
      let event = try self.advance()
      switch event {
      case .close: self.end()
      case nil: self.letGoOfInput()
      case .message, .compressed, .ping, .pong: break
      }
      return event
    } catch {
      self.end()
      throw error
    }
  }

  private mutating func advance() throws(WebSocketViolation) -> Event? {
    while !self.hasEnded {
      if self.frame != nil {
        guard try self.assembleFrame() else { return nil }
        if let event = try self.finishFrame() { return event }
        continue
      }
      guard
        let header = try WebSocketHeader.peek(
          at: self.input,
          from: self.role,
          compressed: self.takesCompressed
        )
      else { return nil }
      if header.opcode.isControl {
        guard self.input.readableBytes >= header.size + header.payloadLength else { return nil }
        return try self.readControlFrame(header)
      }
      try self.check(header)
      guard self.input.readableBytes >= header.size else { return nil }
      self.input.moveReaderIndex(forwardBy: header.size)
      if let event = try self.begin(header) { return event }
    }
    return nil
  }

  private mutating func end() {
    self.hasEnded = true
    self.input = ByteBuffer()
    self.assembly = ByteBuffer()
    self.message = nil
    self.frame = nil
  }

  /// Keeps a partial header or control frame in memory of its own size.
  private mutating func letGoOfInput() {
    let left = self.input.readableBytes
    if left == 0 {
      self.input = ByteBuffer()
    } else if self.input.storageCapacity > 256 {
      self.input = ByteBuffer(bytes: self.input.readableBytesView)
    }
  }
}

// MARK: data frames

extension WebSocketDecoder {
  /// Refuses a data frame that does not belong here or would make its message too long, before anything
  /// is allocated for it.
  private func check(_ header: WebSocketHeader) throws(WebSocketViolation) {
    switch (header.opcode == .continuation, self.message != nil) {
    case (true, false): throw .malformed("continuation of no message")
    case (false, true): throw .malformed("new message inside a fragmented one")
    case (true, true), (false, false): break
    }
    guard header.payloadLength <= self.maximumMessageSize - self.assembly.readableBytes else {
      throw .tooBig(limit: self.maximumMessageSize)
    }
  }

  /// Starts a data frame whose header was checked and consumed. A message in one frame that is all here
  /// is answered without going through the assembly.
  private mutating func begin(_ header: WebSocketHeader) throws(WebSocketViolation) -> Event? {
    let kind: MessageKind = header.opcode == .text ? .text : .binary
    if header.opcode == .continuation { self.fragments += 1 }
    var message = self.message ?? MessageInProgress(kind: kind, isCompressed: header.isCompressed)
    let isWhole = header.isFinal && header.opcode != .continuation
    guard isWhole, self.input.readableBytes >= header.payloadLength else {
      self.message = message
      self.frame = FrameInProgress(
        isFinal: header.isFinal,
        mask: header.mask,
        missing: header.payloadLength
      )
      return nil
    }
    let payload = self.readPayload(length: header.payloadLength, mask: header.mask)
    if message.isCompressed { return .compressed(message.kind, payload) }
    if message.kind == .text {
      let isValid = payload.withUnsafeReadableBytes { message.utf8.consume($0) }
      guard isValid, message.utf8.isAtBoundary else { throw .badUTF8 }
    }
    return .message(message.kind, payload)
  }

  /// Moves what has arrived of the frame into the assembly, unmasked and validated. True when the frame is all there.
  private mutating func assembleFrame() throws(WebSocketViolation) -> Bool {
    guard var frame = self.frame, var message = self.message else { return true }
    let count = min(frame.missing, self.input.readableBytes)
    if count > 0 {
      let start = self.assembly.writerIndex
      Self.write(
        self.input.viewBytes(at: self.input.readerIndex, length: count)!,
        mask: frame.mask,
        offset: frame.consumed,
        into: &self.assembly
      )
      self.input.moveReaderIndex(forwardBy: count)
      frame.consumed += count
      frame.missing -= count
      if message.kind == .text, !message.isCompressed {
        let isValid = self.assembly.withUnsafeReadableBytes { bytes in
          message.utf8.consume(
            UnsafeRawBufferPointer(rebasing: bytes[(start - self.assembly.readerIndex)...])
          )
        }
        guard isValid else { throw .badUTF8 }
      }
      self.frame = frame
      self.message = message
    }
    return frame.missing == 0
  }

  private mutating func finishFrame() throws(WebSocketViolation) -> Event? {
    guard let frame = self.frame, let message = self.message else { return nil }
    self.frame = nil
    guard frame.isFinal else { return nil }
    guard message.utf8.isAtBoundary else { throw .badUTF8 }
    self.message = nil
    let payload = self.assembly
    self.assembly = ByteBuffer()
    return message.isCompressed ? .compressed(message.kind, payload) : .message(message.kind, payload)
  }
}

// MARK: control frames and payloads

extension WebSocketDecoder {
  private mutating func readControlFrame(_ header: WebSocketHeader) throws(WebSocketViolation) -> Event {
    self.input.moveReaderIndex(forwardBy: header.size)
    let payload = self.readPayload(length: header.payloadLength, mask: header.mask)
    switch header.opcode {
    case .ping: return .ping(payload)
    case .pong: return .pong(payload)
    default: return try Self.close(payload)
    }
  }

  /// Section 5.5.1: no payload, or a code and a reason in UTF-8.
  private static func close(_ payload: ByteBuffer) throws(WebSocketViolation) -> Event {
    var payload = payload
    if payload.readableBytes == 0 { return .close(code: nil, reason: "") }
    guard let code = payload.readInteger().map(CloseCode.init(rawValue:)) else {
      throw .malformed("close payload of one byte")
    }
    guard code.mayBeReceived else { throw .malformed("close code that may not be sent") }
    var utf8 = UTF8Validator()
    let isValid = payload.withUnsafeReadableBytes { utf8.consume($0) }
    guard isValid, utf8.isAtBoundary else { throw .badUTF8 }
    return .close(code: code, reason: String(buffer: payload))
  }

  /// Takes `length` bytes, which are there, off the input: unmasked in place when nobody else holds the memory,
  /// else copied out once.
  private mutating func readPayload(length: Int, mask: WebSocketMask?) -> ByteBuffer {
    guard length > 0 else { return ByteBuffer() }
    guard let mask else { return self.input.readSlice(length: length)! }
    let inPlace: Void? = self.input.modifyIfUniquelyOwned { input in
      input.withUnsafeMutableReadableBytes {
        mask.apply(to: UnsafeMutableRawBufferPointer(rebasing: $0[..<length]))
      }
    }
    if inPlace != nil { return self.input.readSlice(length: length)! }
    var payload = ByteBufferAllocator().buffer(capacity: length)
    let masked = self.input.viewBytes(at: self.input.readerIndex, length: length)!
    Self.write(masked, mask: mask, offset: 0, into: &payload)
    self.input.moveReaderIndex(forwardBy: length)
    return payload
  }

  private static func write(
    _ bytes: ByteBufferView,
    mask: WebSocketMask?,
    offset: Int,
    into target: inout ByteBuffer
  ) {
    guard let mask else {
      target.writeBytes(bytes)
      return
    }
    bytes.withUnsafeBytes { source in
      _ = target.writeWithUnsafeMutableBytes(minimumWritableBytes: source.count) { free in
        mask.copy(from: source, to: free, offset: offset)
        return source.count
      }
    }
  }
}
