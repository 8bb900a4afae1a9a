public import NIOCore

/// A bucket that holds some tokens and fills at a rate, kept as one time: until when what was taken would have lasted
/// at that rate. Eight bytes, so that every connection can have several.
public struct TokenBucket: Sendable, Equatable {
  public struct Rate: Sendable, Equatable {
    /// Tokens a second, more than 0.
    public var perSecond: Double
    /// Tokens that can be taken at once, at least 1.
    public var burst: Double

    public init(perSecond: Double, burst: Double) {
      self.perSecond = perSecond
      self.burst = max(1, burst)
    }

    /// Nanoseconds that `amount` tokens last, rounded down, so that as many single ones as the burst has are within it.
    fileprivate func time(_ amount: Double) -> Int64 { Int64(min(amount / perSecond * 1e9, 1e17)) }

    fileprivate var burstTime: Int64 { Int64(min(burst / perSecond * 1e9, 1e17).rounded(.up)) }
  }

  private var taken: Int64 = 0

  public init() {}

  /// Takes tokens; nil when they were there. When not, none is taken, and the answer is when they will be, in
  /// milliseconds. More than the bucket holds can be taken from a full one.
  public mutating func take(_ amount: Int = 1, at rate: Rate, now: NIODeadline) -> Int? {
    let now = Int64(clamping: now.uptimeNanoseconds)
    let cost = rate.time(Double(amount))
    let since = max(taken, now)
    let wait = since + cost - now - max(rate.burstTime, cost)
    if wait > 0 { return Int((wait + 999_999) / 1_000_000) }
    taken = since + cost
    return nil
  }

  /// Takes tokens whether they are there or not.
  public mutating func charge(_ amount: Int, at rate: Rate, now: NIODeadline) {
    let now = Int64(clamping: now.uptimeNanoseconds)
    taken = min(max(taken, now) + rate.time(Double(amount)), now + 1_000_000_000_000_000)
  }

  /// How many tokens were charged that were not there.
  public func debt(at rate: Rate, now: NIODeadline) -> Double {
    let over = taken - Int64(clamping: now.uptimeNanoseconds) - rate.burstTime
    return over > 0 ? Double(over) / 1e9 * rate.perSecond : 0
  }

  /// When the debt will be paid, in milliseconds; nil when there is none.
  public func wait(at rate: Rate, now: NIODeadline) -> Int? {
    let over = taken - Int64(clamping: now.uptimeNanoseconds) - rate.burstTime
    return over > 0 ? Int((over + 999_999) / 1_000_000) : nil
  }

  /// Whether nothing is missing in it.
  public func isFull(now: NIODeadline) -> Bool { taken <= Int64(clamping: now.uptimeNanoseconds) }
}
