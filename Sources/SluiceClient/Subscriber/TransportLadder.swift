import NIOCore

/// Which transport is tried next: in order, from the one that worked last.
struct TransportLadder {
  /// So many openings that fail on one transport, for whatever reason, and the next one is tried.
  static let patience = 3
  /// A connection that ends earlier than this was not worth much.
  static let shortLife = TimeAmount.seconds(5)

  private(set) var rungs: [SubscriberTransport]
  private(set) var current: SubscriberTransport
  private var failures = 0
  private var shortLives = 0

  /// - Parameter rungs: at least one, the best first.
  init(_ rungs: [SubscriberTransport]) {
    var seen: Set<SubscriberTransport> = []
    self.rungs = rungs.filter { seen.insert($0).inserted }
    current = rungs[0]
  }

  /// There is nothing to fall back to.
  var isSingle: Bool { rungs.count == 1 }

  /// Those that are better than the current one, the best first.
  var better: ArraySlice<SubscriberTransport> {
    rungs.prefix { $0 != current }
  }

  /// A connection was opened on this transport.
  mutating func worked(_ transport: SubscriberTransport) {
    failures = 0
    if transport != current { shortLives = 0 }
    if rungs.contains(transport) { current = transport }
  }

  /// An opening failed. True when the next transport is to be tried.
  mutating func failed() -> Bool {
    failures += 1
    return failures >= TransportLadder.patience && !isSingle
  }

  /// A connection was lost. True when it was the second in turn that lived for a moment only.
  mutating func lost(after life: TimeAmount) -> Bool {
    shortLives = life < TransportLadder.shortLife ? shortLives + 1 : 0
    return shortLives >= 2 && !isSingle
  }

  /// Goes on to the next. True when that is the first again: all have failed.
  mutating func stepDown() -> Bool {
    failures = 0
    shortLives = 0
    let next = (rungs.firstIndex(of: current) ?? -1) + 1
    current = rungs[next % rungs.count]
    return next >= rungs.count
  }

  /// The server does not offer this transport. False when there is no other.
  mutating func strike(_ transport: SubscriberTransport) -> Bool {
    guard rungs.count > 1 else { return rungs != [transport] }
    if transport == current { _ = stepDown() }
    rungs.removeAll { $0 == transport }
    return true
  }

  /// Another one is wanted, and no other.
  mutating func pin(_ transport: SubscriberTransport) {
    if rungs.contains(transport) { current = transport } else { self = TransportLadder([transport]) }
  }
}
