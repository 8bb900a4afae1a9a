public import Admission
import Delivery
import NIOCore
import Telemetry

/// Making room when memory runs out.
extension Worker {
  /// The node's memory was measured: called each second.
  public func memoryMeasured(_ level: MemoryPressure.Level) {
    setFull(level >= .refusing)
    if level >= .refusing { shard.trimRings() }
    guard level == .shedding else { return }
    let quota = MemoryPressure.quota(of: sessions + entry.connectionCount)
    let closed = entry.closeSlow(quota)
    context.metrics.shed.add(closed)
    if closed < quota { shed(quota - closed) }
  }

  /// Sends connections away: who does not read, or has read least lately, first.
  private func shed(_ count: Int) {
    let all = heldConnections
    let slow = all.filter { !$0.isWritable }.prefix(count)
    for connection in slow { connection.closeForRoom() }
    let others = all.filter { $0.isWritable && !$0.isTold }.prefix(count - slow.count)
    for connection in others { sendAway(connection, GoodbyeReason.overload) }
    context.metrics.shed.add(slow.count + others.count)
    shard.flush()
  }
}
