public import NIOCore

/// Server-sent events (WHATWG HTML section 9.2) as bytes. Values are written as they are: an id, a name
/// or data with a line break in it would become another field, so the caller passes none.
public enum EventStreamEncoder {
  public static let contentType = "text/event-stream"

  /// Writes one event.
  /// - Parameters:
  ///   - name: nil for an unnamed event, which a browser gives to `onmessage`.
  ///   - id: what the browser sends back as `Last-Event-ID`; nil leaves the last one as it is.
  ///   - data: JSON on one line.
  public static func write(
    name: StaticString? = nil,
    id: ByteBuffer? = nil,
    data: ByteBuffer,
    into buffer: inout ByteBuffer
  ) {
    self.writeName(name, into: &buffer)
    if let id {
      buffer.writeStaticString("id: ")
      self.writeValue(id, into: &buffer)
    }
    buffer.writeStaticString("data: ")
    self.writeValue(data, into: &buffer)
    buffer.writeStaticString("\n")
  }

  /// The same with the id as text.
  public static func write(
    name: StaticString? = nil,
    id: some StringProtocol,
    data: ByteBuffer,
    into buffer: inout ByteBuffer
  ) {
    self.writeName(name, into: &buffer)
    buffer.writeStaticString("id: ")
    buffer.writeString(String(id))
    buffer.writeStaticString("\ndata: ")
    self.writeValue(data, into: &buffer)
    buffer.writeStaticString("\n")
  }

  /// Sets the time after which the client reconnects.
  public static func writeRetry(milliseconds: Int, into buffer: inout ByteBuffer) {
    buffer.writeStaticString("retry: ")
    buffer.writeString(String(milliseconds))
    buffer.writeStaticString("\n\n")
  }

  /// Writes a comment, which the client ignores and proxies see as traffic.
  public static func writeComment(_ text: StaticString = "", into buffer: inout ByteBuffer) {
    buffer.writeStaticString(":")
    buffer.writeStaticString(text)
    buffer.writeStaticString("\n\n")
  }

  private static func writeName(_ name: StaticString?, into buffer: inout ByteBuffer) {
    guard let name else { return }
    buffer.writeStaticString("event: ")
    buffer.writeStaticString(name)
    buffer.writeStaticString("\n")
  }

  private static func writeValue(_ value: ByteBuffer, into buffer: inout ByteBuffer) {
    assert(!value.readableBytesView.contains { $0 == 0x0A || $0 == 0x0D })
    buffer.writeImmutableBuffer(value)
    buffer.writeStaticString("\n")
  }
}
