public import Wire

/// What a subscription brings, in the order of its channel.
public enum SluiceEvent: Sendable {
  case message(ChannelMessage)
  /// What lies after `from`, up to and with `to`, may have been missed; the stream goes on after `to`.
  case gap(ChannelName, Gap)
  /// Heard with a wish about presence only; one's own too.
  case join(ChannelName, Member)
  case leave(ChannelName, Member)

  public var channel: ChannelName {
    switch self {
    case .message(let message): message.channel
    case .gap(let channel, _), .join(let channel, _), .leave(let channel, _): channel
    }
  }
}

/// One message of a channel.
public struct ChannelMessage: Sendable, Hashable {
  public var channel: ChannelName
  /// A subscription that is given it as `since` goes on after this message. Nil in an ephemeral channel.
  public var cursor: Cursor?
  /// The data, one JSON value.
  public var json: String
  /// Who published it, where that is known.
  public var user: String?
  /// When the log took it, in milliseconds since 1970.
  public var time: Int64
}

/// A part of a channel's log, ascending.
public struct ChannelHistory: Sendable {
  public var messages: [ChannelMessage]
  /// Where a subscription goes on after these messages; nil where there never was one.
  public var cursor: Cursor?
  /// What was asked for and is not held any more.
  public var gap: Gap?
}

/// Why something was not done.
public struct SluiceError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What a node answered; nil where it was not a node that said no.
  public var code: ErrorCode?
  /// For a person.
  public var message: String

  init(_ code: ErrorCode?, _ message: String) {
    self.code = code
    self.message = message
  }

  init(_ message: String) {
    self.init(nil, message)
  }

  public var description: String { code.map { "\($0.rawValue): \(message)" } ?? message }
}
