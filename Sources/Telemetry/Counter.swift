private import Synchronization

/// A number that only grows. Made at start, added to from any thread without a lock.
public final class Counter: Sendable {
  private let total = Atomic<UInt64>(0)

  public init() {}

  public var value: UInt64 { total.load(ordering: .relaxed) }

  public func add(_ amount: Int = 1) {
    total.wrappingAdd(UInt64(amount), ordering: .relaxed)
  }
}

/// A number that goes up and down.
public final class Gauge: Sendable {
  private let level = Atomic<Int>(0)

  public init() {}

  public var value: Int { level.load(ordering: .relaxed) }

  public func add(_ amount: Int) {
    level.wrappingAdd(amount, ordering: .relaxed)
  }

  public func set(_ value: Int) {
    level.store(value, ordering: .relaxed)
  }
}
