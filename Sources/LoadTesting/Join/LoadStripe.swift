/// Which part of a run a process plays, when several play it: every `count`th client and publish, from `index` on.
public struct LoadStripe: Sendable, Equatable {
  public let index: Int
  public let count: Int

  /// All of it.
  public static let whole = LoadStripe(index: 0, count: 1)

  public init(index: Int, count: Int) {
    precondition((0..<count).contains(index))
    self.index = index
    self.count = count
  }

  /// How many of so many things are in it.
  public func share(of total: Int) -> Int { max(0, (total - index + count - 1) / count) }

  func contains(_ number: Int) -> Bool { number % count == index }
}
