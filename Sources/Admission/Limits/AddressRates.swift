private import NIOConcurrencyHelpers
public import NIOCore

/// How much each address asks for. From any thread.
public final class AddressRates: Sendable {
  /// More addresses than this are not told apart: those that have asked for nothing for the longest are forgotten.
  static let maximumAddresses = 200_000

  private struct State {
    var buckets: [ClientAddress: TokenBucket] = [:]
    var sweepsAt = NIODeadline.uptimeNanoseconds(0)
  }

  private let rate: TokenBucket.Rate
  private let state = NIOLockedValueBox(State())

  public init(_ rate: TokenBucket.Rate) {
    self.rate = rate
  }

  /// An address asks for so much: nil when it may, else after how many milliseconds.
  public func take(_ amount: Int = 1, from address: ClientAddress, now: NIODeadline) -> Int? {
    state.withLockedValue { state in
      if now >= state.sweepsAt || state.buckets.count >= AddressRates.maximumAddresses {
        // Who has a full bucket is as good as new.
        state.buckets = state.buckets.filter { !$0.value.isFull(now: now) }
        if state.buckets.count >= AddressRates.maximumAddresses { state.buckets = [:] }
        state.sweepsAt = now + .seconds(10)
      }
      return state.buckets[address, default: TokenBucket()].take(amount, at: rate, now: now)
    }
  }

  /// Addresses that are told apart at the moment.
  public var count: Int { state.withLockedValue { $0.buckets.count } }
}
