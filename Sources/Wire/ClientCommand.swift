public import NIOCore

/// What a client may ask over a WebSocket.
public enum ClientCommand: Sendable, Equatable {
  case subscribe(channel: ChannelName, since: Since?, presence: PresenceWish?)
  case unsubscribe(channel: ChannelName)
  case publish(channel: ChannelName, data: ByteBuffer, key: String?)
  case presence(channel: ChannelName, limit: Int?, after: String?)
  case history(channel: ChannelName, range: HistoryRange, limit: Int?)
  case token(String)
  case ping
}

/// What a subscriber wants of a channel's presence.
public enum PresenceWish: String, Sendable {
  /// To be a member, and hear joins and leaves.
  case join
  /// Only to hear them.
  case watch
}

/// Which part of a channel's log is asked for.
public enum HistoryRange: Sendable, Hashable {
  /// The newest.
  case newest
  /// The oldest after a position.
  case since(Since)
  /// The newest before a cursor, which is not among them.
  case before(Cursor)
}

/// A command with the number its answer echoes.
public struct ClientRequest: Sendable, Equatable {
  public var id: Int64?
  public var command: ClientCommand
}

/// Why a message of a client was not understood, with its number where that could be read.
public struct ClientRequestError: Error, Sendable, Equatable {
  public var id: Int64?
  public var error: ClientError
}
