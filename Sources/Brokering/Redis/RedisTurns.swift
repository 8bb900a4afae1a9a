import DequeModule

/// Calls of one kind that go to Redis some at a time, in the order in which they were asked for: what is sent after them
/// by others waits behind those alone that are under way.
final class RedisTurns {
  private let atOnce: Int
  private var underWay = 0
  private var waiting: Deque<() -> Void> = []

  /// Those that wait, at the most.
  static let longest = 1 << 16

  init(atOnce: Int) {
    self.atOnce = atOnce
  }

  var count: Int { underWay + waiting.count }

  /// Begins a call now or in its turn. Whoever began must say so when it `ended`. False when too many wait already.
  func take(_ call: @escaping () -> Void) -> Bool {
    guard underWay >= atOnce else {
      underWay += 1
      call()
      return true
    }
    guard waiting.count < RedisTurns.longest else { return false }
    waiting.append(call)
    return true
  }

  /// A call has its answer.
  func ended() {
    guard let next = waiting.popFirst() else {
      underWay -= 1
      return
    }
    next()
  }
}

@available(*, unavailable) extension RedisTurns: Sendable {}
