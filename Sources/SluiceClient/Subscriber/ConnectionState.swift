public import NIOCore

/// How a subscriber stands with the cluster.
public enum ConnectionState: Sendable, Hashable {
  /// It has nothing to follow, or is stopped.
  case idle
  case connecting(SubscriberTransport)
  /// Every channel is subscribed. Polls do not say which node answers.
  case connected(SubscriberTransport, node: String?)
  /// It will try again after so long.
  case waiting(TimeAmount, reason: String)
  /// It has given up for good.
  case ended(reason: String)
}
