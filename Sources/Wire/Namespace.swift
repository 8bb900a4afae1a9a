/// How a channel hands its messages to subscribers.
public enum DeliveryMode: String, Sendable, CaseIterable {
  /// Every message, in order, or a gap that says which are missing.
  case log
  /// A log of one: who lags or returns gets the newest, and what was skipped is no gap.
  case latest
  /// Not stored, no cursor; who lags misses it.
  case ephemeral
}

/// Who may do something in a namespace.
public enum Permission: String, Sendable, CaseIterable {
  /// Everybody, save that a token which names channels is held to them.
  case open
  /// Everybody, whatever a token says.
  case everyone
  /// Only clients whose token grants it.
  case token
  /// Only backends, on the operator listener.
  case nobody
}

/// How the joins and leaves of a channel are told.
public enum PresenceEvents: String, Sendable, CaseIterable {
  /// Each at once.
  case each
  /// Those of a second together, and of each member only the last.
  case batched
  /// Not at all: members and counts are there for who asks.
  case off
}

/// The options of one namespace.
public struct NamespaceOptions: Sendable, Equatable {
  /// Messages held, at the most.
  public var history = 1_000
  /// Seconds a message is held, at the most.
  public var historyTTL = 3_600
  public var presence = true
  public var presenceEvents = PresenceEvents.each
  public var publish = Permission.open
  public var subscribe = Permission.open
  public var delivery = DeliveryMode.log
  /// The largest `data`, in bytes.
  public var maxMessageBytes = 65_536
  /// Seconds for which a cache may give the answer of a short poll to others.
  public var pollMaxAge = 1

  public init() {}

  /// Messages held: one in a `latest` channel, none in an `ephemeral` one.
  public var held: Int {
    switch delivery {
    case .log: history
    case .latest: 1
    case .ephemeral: 0
    }
  }
}

/// The options of every namespace.
public struct Namespaces: Sendable, Equatable {
  /// What holds for a namespace that is not named.
  public var fallback: NamespaceOptions
  public var named: [String: NamespaceOptions]

  public init(fallback: NamespaceOptions = .init(), named: [String: NamespaceOptions] = [:]) {
    self.fallback = fallback
    self.named = named
  }

  public subscript(channel: ChannelName) -> NamespaceOptions {
    named.isEmpty ? fallback : named[String(channel.namespace)] ?? fallback
  }
}
