import DequeModule
import NIOCore
import Wire

/// The events of a node that runs alone. They do not survive it.
struct MemoryEvents {
  var kinds: Set<ClusterEvent.Kind> = []
  private var open: [HolderID: ByteBuffer] = [:]
  private var queue = Deque<ClusterEvent>()
  private var count: UInt64 = 0
  private var dropped = 0

  var waiting: Int { queue.count }

  mutating func connected(_ holder: HolderID, _ detail: ByteBuffer) {
    if kinds.contains(.disconnect) { open[holder] = detail }
  }

  mutating func disconnected(_ holder: HolderID, _ time: Int64) {
    if let detail = open.removeValue(forKey: holder) { add(.disconnect, time, detail) }
  }

  mutating func allDisconnected(_ time: Int64) {
    for holder in open.keys.sorted(by: { $0.serial < $1.serial }) { disconnected(holder, time) }
  }

  mutating func changed(_ kind: ClusterEvent.Kind, _ channel: ChannelName, _ time: Int64) {
    guard kinds.contains(kind) else { return }
    var detail = ByteBuffer()
    detail.openObject()
    detail.writeMember("channel", channel.text)
    detail.closeObject()
    add(kind, time, detail)
  }

  private mutating func add(_ kind: ClusterEvent.Kind, _ time: Int64, _ detail: ByteBuffer) {
    if queue.count >= EventBounds.most {
      queue.removeFirst()
      dropped += 1
    }
    count += 1
    queue.append(ClusterEvent(id: "\(time)-\(count)", kind: kind, time: time, detail: detail))
  }

  mutating func takeDropped() -> Int {
    defer { dropped = 0 }
    return dropped
  }

  func oldest(_ limit: Int) -> [ClusterEvent] { Array(queue.prefix(limit)) }

  mutating func delivered(_ events: [ClusterEvent]) {
    let ids = Set(events.map(\.id))
    while let first = queue.first, ids.contains(first.id) { queue.removeFirst() }
  }
}
