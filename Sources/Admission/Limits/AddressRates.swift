private import NIOConcurrencyHelpers
public import NIOCore

/// How much each address asks for. From any thread.
public final class AddressRates: Sendable {
  /// More addresses than this are not told apart: those that have asked for nothing for the longest are forgotten.
  static let maximumAddresses = 200_000

  private struct State {
    /// Who has asked since the last time that there were too many, and who had before.
    var young: [ClientAddress: TokenBucket] = [:]
    var old: [ClientAddress: TokenBucket] = [:]
    var sweepsAt = NIODeadline.uptimeNanoseconds(0)

    /// Who has a full bucket is as good as new.
    mutating func sweep(now: NIODeadline) {
      guard now >= sweepsAt else { return }
      sweepsAt = now + .seconds(10)
      young = young.filter { !$0.value.isFull(now: now) }
      old = old.filter { !$0.value.isFull(now: now) }
    }
  }

  private let rate: TokenBucket.Rate
  private let half: Int
  private let state = NIOLockedValueBox(State())

  public convenience init(_ rate: TokenBucket.Rate) {
    self.init(rate, atMost: AddressRates.maximumAddresses)
  }

  init(_ rate: TokenBucket.Rate, atMost maximum: Int) {
    self.rate = rate
    half = max(1, maximum / 2)
  }

  /// An address asks for so much: nil when it may, else after how many milliseconds.
  public func take(_ amount: Int = 1, from address: ClientAddress, now: NIODeadline) -> Int? {
    change(address, now: now) { $0.take(amount, at: rate, now: now) }
  }

  /// An address got so much, whether it may have that or not.
  public func charge(_ amount: Int = 1, to address: ClientAddress, now: NIODeadline) {
    change(address, now: now) { $0.charge(amount, at: rate, now: now) }
  }

  /// Whether an address got more than it may: after how many milliseconds that is made up for, else nil. It costs
  /// nothing, and nobody is remembered for it.
  public func wait(for address: ClientAddress, now: NIODeadline) -> Int? {
    state.withLockedValue { state in
      (state.young[address] ?? state.old[address])?.wait(at: rate, now: now)
    }
  }

  private func change<Answer>(
    _ address: ClientAddress,
    now: NIODeadline,
    _ body: (inout TokenBucket) -> Answer
  ) -> Answer {
    state.withLockedValue { state in
      state.sweep(now: now)
      if state.young[address] == nil {
        if state.young.count >= half {
          state.old = state.young
          state.young = [:]
        }
        state.young[address] = state.old.removeValue(forKey: address)
      }
      return body(&state.young[address, default: TokenBucket()])
    }
  }

  /// Addresses that are told apart at the moment.
  public var count: Int { state.withLockedValue { $0.young.count + $0.old.count } }
}
