/// The ways in which a client reaches a channel, by the names that settings and clients use.
public enum TransportKind: String, Sendable, CaseIterable {
  case webSocket = "websocket"
  /// Server-sent events.
  case eventStream = "sse"
  case longPoll = "long-poll"
  case shortPoll = "short-poll"
  /// Publish, history and presence, one request and one answer each.
  case rest
}
