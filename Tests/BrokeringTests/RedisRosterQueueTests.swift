import NIOCore
import Testing

@testable import Brokering

struct RedisRosterQueueTests {
  /// A restoration of the feed puts all channels of a node into the queue: each is taken in as little time as one is.
  @Test(.timeLimit(.minutes(1))) func manyAreReadOnceEachInTheirOrder() {
    let names = (0..<200_000).map { "feed \($0)" }
    var queue = RedisRosterQueue()
    for name in names { queue.append(name) }
    for name in names.prefix(100) { queue.append(name) }
    var isInOrder = true
    for name in names {
      isInOrder = isInOrder && queue.first == name
      queue.removeFirst()
    }
    #expect(isInOrder && queue.first == nil)
    queue.append(names[0])
    #expect(queue.first == names[0])
  }

  @Test func aProbeProvesWhatWasReadBeforeIt() {
    var queue = RedisRosterQueue()
    queue.mustProve("a", by: 3)
    queue.mustProve("b", by: 4)
    #expect(queue.proven(by: 2) == [])
    #expect(queue.proven(by: 3) == ["a"])
    queue.feedLost()
    #expect(queue.proven(by: 9) == [])
  }
}
