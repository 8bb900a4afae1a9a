public import NIOCore

/// One event of a stream (WHATWG HTML section 9.2.6).
public struct ServerSentEvent: Sendable, Equatable {
  /// Nil for an unnamed one, which a browser gives to `onmessage`.
  public var name: String?
  /// The stream's last event id, this event's included; empty where there was none.
  public var lastEventID: ByteBuffer
  /// It may share the storage of what was received: copy what is kept.
  public var data: ByteBuffer

  public init(name: String? = nil, lastEventID: ByteBuffer = ByteBuffer(), data: ByteBuffer) {
    self.name = name
    self.lastEventID = lastEventID
    self.data = data
  }
}
