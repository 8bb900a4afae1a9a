private import NIOConcurrencyHelpers
private import Synchronization

/// How many connections a node has, and each client's address. From any thread.
public final class ConnectionLedger: Sendable {
  public enum Answer: Sendable, Equatable {
    /// It is counted until `leave`.
    case enter
    /// The node has as many as it may. It is not counted.
    case full
    /// The node has too little memory for any more. It is not counted.
    case closed
    /// The address has as many as it may. It is not counted.
    case tooManyOfAddress
  }

  /// At the most; `Int.max` is without limit.
  public let maximum: Int
  /// At the most of one address; 0 is without limit.
  public let maximumOfAddress: Int
  private let total = Atomic<Int>(0)
  private let isClosed = Atomic<Bool>(false)
  private let byAddress = NIOLockedValueBox<[ClientAddress: Int]>([:])

  public init(maximum: Int = .max, maximumOfAddress: Int = 0) {
    self.maximum = maximum
    self.maximumOfAddress = maximumOfAddress
  }

  /// Connections that are counted now.
  public var count: Int { total.load(ordering: .relaxed) }

  /// Whether connections are counted by their address.
  public var countsAddresses: Bool { maximumOfAddress > 0 }

  /// No connection enters any more, for want of memory, or again as usual.
  public func close(_ isClosed: Bool) {
    self.isClosed.store(isClosed, ordering: .relaxed)
  }

  /// A connection wants to come in. `address` is nil where it says nothing of the client, as a proxy's.
  public func enter(_ address: ClientAddress?) -> Answer {
    guard !isClosed.load(ordering: .relaxed) else { return .closed }
    guard total.wrappingAdd(1, ordering: .relaxed).newValue <= maximum else {
      total.wrappingSubtract(1, ordering: .relaxed)
      return .full
    }
    guard let address, !enterAddress(address) else { return .enter }
    total.wrappingSubtract(1, ordering: .relaxed)
    return .tooManyOfAddress
  }

  /// A connection that had entered is gone.
  public func leave(_ address: ClientAddress?) {
    total.wrappingSubtract(1, ordering: .relaxed)
    if let address { leaveAddress(address) }
  }

  /// Counts a connection for its address alone, as one that came through a proxy; false, and not counted, when the
  /// address has as many as it may.
  public func enterAddress(_ address: ClientAddress) -> Bool {
    guard countsAddresses else { return true }
    return byAddress.withLockedValue { counts in
      guard counts[address, default: 0] < maximumOfAddress else { return false }
      counts[address, default: 0] += 1
      return true
    }
  }

  public func leaveAddress(_ address: ClientAddress) {
    guard countsAddresses else { return }
    byAddress.withLockedValue { counts in
      let count = counts[address, default: 0]
      counts[address] = count > 1 ? count - 1 : nil
    }
  }
}
