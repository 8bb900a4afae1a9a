import NIOCore
import RedisClient

extension RedisAnswers {
  /// How many events wait, and the oldest of them; none for who does not deliver.
  static func events(_ value: RedisValue) -> (waiting: Int, events: [ClusterEvent])? {
    if value.isNull { return (0, []) }
    guard let parts = value.array, parts.count == 2, let waiting = parts[0].integer,
      let entries = parts[1].array
    else { return nil }
    var events: [ClusterEvent] = []
    for entry in entries {
      guard let event = event(entry) else { return nil }
      events.append(event)
    }
    return (waiting, events)
  }

  /// `[id, [k, kind, t, time, d, detail]]`.
  private static func event(_ entry: RedisValue) -> ClusterEvent? {
    guard let parts = entry.array, parts.count == 2, let id = parts[0].string, let fields = parts[1].array,
      fields.count == 6, let kind = fields[1].string.flatMap(ClusterEvent.Kind.init(rawValue:)),
      let time = fields[3].integer, let detail = fields[5].bytes
    else { return nil }
    return ClusterEvent(
      id: id,
      kind: kind,
      time: Int64(time),
      detail: ByteBuffer(bytes: detail.readableBytesView)
    )
  }
}
