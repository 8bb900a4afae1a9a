public import SluiceClient

/// Which part of the clients uses which transport: `websocket=60,sse=30,long-poll=10`. The numbers are shares of
/// their sum; a name alone has a share of 1.
public struct TransportShares: Sendable, Equatable, CustomStringConvertible {
  public static let names: [(name: String, transport: SubscriberTransport)] = [
    ("websocket", .webSocket), ("sse", .eventStream), ("event-source", .nativeEventSource),
    ("long-poll", .longPoll), ("short-poll", .shortPoll),
  ]

  public let shares: [(transport: SubscriberTransport, share: Double)]

  public init(_ shares: [(transport: SubscriberTransport, share: Double)]) {
    self.shares = shares
  }

  /// Nil when `text` is no such list.
  public init?(_ text: String) {
    var shares: [(transport: SubscriberTransport, share: Double)] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let words = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let transport = TransportShares.names.first(where: { $0.name == words[0] })?.transport,
        !shares.contains(where: { $0.transport == transport })
      else { return nil }
      guard words.count == 2 else {
        shares.append((transport, 1))
        continue
      }
      guard let share = Double(words[1]), share >= 0, share.isFinite else { return nil }
      shares.append((transport, share))
    }
    guard shares.contains(where: { $0.share > 0 }) else { return nil }
    self.shares = shares
  }

  public static func name(of transport: SubscriberTransport) -> String {
    names.first { $0.transport == transport }?.name ?? transport.rawValue
  }

  public var description: String {
    shares.map { share in
      let number = share.share == share.share.rounded() ? "\(Int(share.share))" : "\(share.share)"
      return "\(TransportShares.name(of: share.transport))=\(number)"
    }.joined(separator: ",")
  }

  /// The transport of each of so many clients, exact in number and mixed by chance.
  public func dealt(to count: Int, using random: inout SeededRandom) -> [SubscriberTransport] {
    let counts = Shares.whole(shares.map(\.share), of: count)
    return zip(shares, counts).flatMap { Array(repeating: $0.transport, count: $1) }
      .shuffled(using: &random)
  }

  public static func == (left: TransportShares, right: TransportShares) -> Bool {
    left.shares.elementsEqual(right.shares) { $0 == $1 }
  }
}

/// Whole numbers for shares of a whole.
enum Shares {
  /// They add up to `total`; what is left over goes to the largest remainders.
  static func whole(_ weights: [Double], of total: Int) -> [Int] {
    let sum = weights.reduce(0, +)
    guard sum > 0 else { return weights.map { _ in 0 } }
    let exact = weights.map { $0 / sum * Double(total) }
    var whole = exact.map { Int($0) }
    let left = total - whole.reduce(0, +)
    let order = exact.indices.sorted { exact[$0] - Double(whole[$0]) > exact[$1] - Double(whole[$1]) }
    for index in order.prefix(max(0, left)) { whole[index] += 1 }
    return whole
  }
}
