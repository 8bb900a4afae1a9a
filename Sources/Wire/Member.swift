public import NIOCore

/// A session as others see it in a channel's presence.
public struct Member: Hashable, Sendable {
  /// `Session.member`.
  public var id: String
  public var user: String?
  /// One JSON value from the token's `info`.
  public var info: ByteBuffer?
  /// When it joined, in milliseconds since 1970.
  public var since: Int64

  public init(id: String, user: String? = nil, info: ByteBuffer? = nil, since: Int64) {
    self.id = id
    self.user = user
    self.info = info
    self.since = since
  }
}
