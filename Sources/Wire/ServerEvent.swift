public import NIOCore

/// Why messages may have been missed.
public enum GapReason: String, Sendable {
  /// The log no longer holds them.
  case trimmed
  /// The log is another one: its epoch changed, or it ends before the position.
  case reset
  /// The reader was so slow that it fell off the log.
  case overflow
}

/// What lies after `from` up to and with `to` may have been missed; the stream goes on after `to`.
public struct Gap: Sendable, Hashable {
  public var from: Cursor
  public var to: Cursor
  public var reason: GapReason

  public init(from: Cursor, to: Cursor, reason: GapReason) {
    self.from = from
    self.to = to
    self.reason = reason
  }
}

/// One page of a channel's members.
public struct PresencePage: Sendable, Equatable {
  public var members: [Member]
  /// Members in all.
  public var count: Int
  /// Distinct known users in all.
  public var users: Int
  /// Where the next page goes on; nil on the last.
  public var next: String?

  public init(members: [Member], count: Int, users: Int, next: String?) {
    self.members = members
    self.count = count
    self.users = users
    self.next = next
  }
}

/// What a node tells a client: one JSON object each, the same on every transport.
public enum ServerEvent: Sendable {
  case welcome(session: Session, node: String, user: String?, heartbeat: Int)
  /// `cursor` is nil in an ephemeral channel.
  case subscribed(id: Int64?, channel: ChannelName, cursor: Cursor?, resumed: Bool)
  case unsubscribed(id: Int64?, channel: ChannelName)
  /// `cursor` is nil in an ephemeral channel.
  case message(channel: ChannelName, cursor: Cursor?, data: ByteBuffer, user: String?, time: Int64)
  case published(id: Int64?, channel: ChannelName, cursor: Cursor?)
  /// `cursor` is where a stream would go on after these messages; nil where the channel has no epoch.
  case history(id: Int64?, channel: ChannelName, messages: [Message], cursor: Cursor?, gap: Gap?)
  case presence(id: Int64?, channel: ChannelName, page: PresencePage)
  case join(channel: ChannelName, member: Member)
  case leave(channel: ChannelName, member: Member)
  case gap(channel: ChannelName, Gap)
  case goaway(reason: String, reconnectAfterMS: Int)
  /// `expires` is in seconds since 1970; nil for never.
  case refreshed(id: Int64?, expires: Int64?)
  case error(id: Int64?, ClientError)
  case pong(id: Int64?)
}
