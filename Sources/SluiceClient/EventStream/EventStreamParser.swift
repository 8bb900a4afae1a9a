public import NIOCore

/// Reads server-sent events as they arrive, in pieces of any size (WHATWG HTML section 9.2.6).
///
/// It is fed with `append` and asked with `next` until that answers nil.
public struct EventStreamParser {
  public enum Item: Sendable, Equatable {
    case event(ServerSentEvent)
    /// What the stream asks for between two connections.
    case retry(milliseconds: Int)
    /// What follows the colon.
    case comment(ByteBuffer)
  }

  /// A line or the data of an event is longer than the parser was told to hold.
  public struct TooLong: Error, Equatable {}

  /// Of a line and of the data of one event, in bytes.
  public let limit: Int
  /// What the next connection gives back. It may share the storage of what was received.
  public private(set) var lastEventID = ByteBuffer()

  private var input = ByteBuffer()
  /// Bytes of `input` known to hold no line break.
  private var scanned = 0
  private var endedWithReturn = false
  private var isFirstLine = true

  private var pendingName: String?
  private var pendingData: ByteBuffer?
  private var pendingID = ByteBuffer()

  public init(limit: Int = 1 << 20) {
    self.limit = limit
  }

  public mutating func append(_ bytes: ByteBuffer) {
    if input.readableBytes == 0 {
      input = bytes
    } else {
      input.writeImmutableBuffer(bytes)
    }
  }

  /// The next item, or nil when more bytes are needed.
  public mutating func next() throws(TooLong) -> Item? {
    while let line = try takeLine() {
      if let item = try interpret(line) { return item }
    }
    guard input.readableBytes <= limit else { throw TooLong() }
    if input.readableBytes == 0 { input = ByteBuffer() }
    return nil
  }

  /// A line without its end, which is CR LF, LF or CR.
  private mutating func takeLine() throws(TooLong) -> ByteBuffer? {
    if endedWithReturn, let byte: UInt8 = input.getInteger(at: input.readerIndex) {
      endedWithReturn = false
      if byte == 0x0a { input.moveReaderIndex(forwardBy: 1) }
    }
    let start = scanned
    let end = input.withUnsafeReadableBytes { bytes -> (offset: Int, isReturn: Bool)? in
      let feed = bytes.offset(of: 0x0a, from: start)
      let before = UnsafeRawBufferPointer(rebasing: bytes[..<(feed ?? bytes.count)])
      if let carriage = before.offset(of: 0x0d, from: start) { return (carriage, true) }
      return feed.map { ($0, false) }
    }
    guard let end else {
      scanned = input.readableBytes
      return nil
    }
    guard end.offset <= limit else { throw TooLong() }
    var line = input.readSlice(length: end.offset)!
    input.moveReaderIndex(forwardBy: 1)
    scanned = 0
    endedWithReturn = end.isReturn
    if isFirstLine {
      isFirstLine = false
      if line.readableBytesView.starts(with: [0xef, 0xbb, 0xbf]) { line.moveReaderIndex(forwardBy: 3) }
    }
    return line
  }

  private mutating func interpret(_ line: ByteBuffer) throws(TooLong) -> Item? {
    guard line.readableBytes > 0 else { return dispatch() }
    var value = line
    guard let colon = line.withUnsafeReadableBytes({ $0.offset(of: UInt8(ascii: ":")) }) else {
      return try take(field: String(buffer: line), value: ByteBuffer())
    }
    let name = value.readSlice(length: colon)!
    value.moveReaderIndex(forwardBy: 1)
    guard colon > 0 else { return .comment(value) }
    if value.getInteger(at: value.readerIndex) == UInt8(ascii: " ") { value.moveReaderIndex(forwardBy: 1) }
    return try take(field: String(buffer: name), value: value)
  }

  private mutating func take(field: String, value: ByteBuffer) throws(TooLong) -> Item? {
    switch field {
    case "data":
      if var data = pendingData.take() {
        data.writeInteger(0x0a as UInt8)
        data.writeImmutableBuffer(value)
        guard data.readableBytes <= limit else { throw TooLong() }
        pendingData = data
      } else {
        pendingData = value
      }
    case "event":
      pendingName = value.readableBytes == 0 ? nil : String(buffer: value)
    case "id":
      if value.withUnsafeReadableBytes({ $0.offset(of: 0) }) == nil { pendingID = value }
    case "retry":
      let digits = String(buffer: value)
      if !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits) {
        return .retry(milliseconds: number)
      }
    default: break
    }
    return nil
  }

  private mutating func dispatch() -> Item? {
    lastEventID = pendingID
    let name = pendingName.take()
    guard let data = pendingData.take() else { return nil }
    return .event(ServerSentEvent(name: name, lastEventID: lastEventID, data: data))
  }
}
