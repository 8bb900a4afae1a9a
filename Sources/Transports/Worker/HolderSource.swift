import Brokering
import Synchronization

/// Numbers for a node's connections, never used twice.
final class HolderSource: Sendable {
  private let last = Atomic<UInt64>(0)

  func next() -> HolderID {
    HolderID(serial: last.wrappingAdd(1, ordering: .relaxed).newValue)
  }
}
