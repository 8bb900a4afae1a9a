public import NIOCore

/// A message that came over a feed.
public struct RedisFeedMessage: Sendable, Equatable {
  /// The name it was published to.
  public var name: String
  /// Shares its storage with the other messages of its batch: copy what is kept for long.
  public var payload: ByteBuffer

  public init(name: String, payload: ByteBuffer) {
    self.name = name
    self.payload = payload
  }
}
