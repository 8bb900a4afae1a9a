public import NIOCore

/// One entry of a channel's log.
public struct Message: Sendable, Equatable {
  public var cursor: Cursor
  /// One JSON value, as the bytes that came, without line breaks.
  public var data: ByteBuffer
  /// Who published it, where that is known.
  public var user: String?
  /// When the log took it, in milliseconds since 1970.
  public var time: Int64

  public init(cursor: Cursor, data: ByteBuffer, user: String?, time: Int64) {
    self.cursor = cursor
    self.data = data
    self.user = user
    self.time = time
  }
}
