/// Delays that are each client's own, so that nobody comes back in the same moment.
enum Jitter {
  /// How long a WebSocket waits before it connects anew, in milliseconds.
  static func goodbyeMS() -> Int { Int.random(in: 0...2_000) }
  /// What a stream that is sent away waits, in milliseconds: the drain's own pace spreads them already, and for so long
  /// it is without a connection.
  static func streamGoodbyeMS() -> Int { Int.random(in: 100...130) }
  /// What a stream that broke waits, in milliseconds.
  static func streamRetryMS() -> Int { Int.random(in: 1_500...2_500) }
  /// What a stream that could not be served waits, in milliseconds.
  static func refusedStreamMS() -> Int { Int.random(in: 500...1_500) }
  /// How long who asked too often, or found no room, waits, in milliseconds: until there is room after `wait`, and a
  /// while of its own, so that all who come from one address do not come back at once.
  static func roomMS(after wait: Int) -> Int { wait + Int.random(in: 0...max(1_000, wait)) }
}
