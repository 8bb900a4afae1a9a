import Wire

/// The names of everything in Redis. All keys of a channel have its name as their hash tag.
enum RedisKeys {
  /// The registry of nodes.
  static let nodes = "sluice:nodes"

  static func log(_ channel: ChannelName) -> String { "sluice:{\(channel.text)}:log" }
  static func meta(_ channel: ChannelName) -> String { "sluice:{\(channel.text)}:meta" }

  /// Where the answer to an idempotency key is kept.
  /// - Parameter key: that of a user, which begins with `:` or `@`.
  static func key(_ channel: ChannelName, _ key: String) -> String { "sluice:{\(channel.text)}:key\(key)" }

  /// The name a channel's messages, joins and leaves are published to.
  static func feed(_ channel: ChannelName) -> String { "sluice:{\(channel.text)}:feed" }

  /// In the order in which the presence scripts want them.
  static func presence(_ channel: ChannelName) -> [String] {
    let base = "sluice:{\(channel.text)}:presence"
    return [base, "\(base):order", "\(base):users", "\(base):counts", "\(base):holders"]
  }

  /// The channels in which a lease has holders.
  static func index(of lease: String) -> String { "sluice:lease:\(lease):channels" }

  /// How many connections a user has on each node.
  static func connections(of user: String) -> String { "sluice:user:{\(user)}:connections" }

  /// Events that wait, and who delivers them.
  static let eventQueue = "sluice:{events}:queue"
  static let eventDeliverer = "sluice:{events}:deliverer"

  /// What a lease has noted, and what all have, in the order in which the scripts of events want them.
  static func events(of lease: String) -> [String] {
    ["sluice:{events}:lease:\(lease)", "sluice:{events}:open", eventQueue]
  }

  /// The name a node publishes to itself, to prove that its feed hears.
  static func probe(_ incarnation: String) -> String { "sluice:probe:\(incarnation)" }

  /// The name a node hears commands under, and the answers to its own.
  static func commands(to incarnation: String) -> String { "sluice:commands:\(incarnation)" }

  /// Where a command waits to be taken.
  static func command(_ number: UInt64, of incarnation: String) -> String {
    "sluice:command:\(incarnation):\(number)"
  }
}
