import NIOCore
import RedisClient
import Wire

/// What the scripts answer, as values of the broker.
enum RedisAnswers {
  static func receipt(_ value: RedisValue) -> Receipt? {
    guard let parts = value.array, parts.count == 2, let text = parts[0].string, let cursor = Cursor(text)
    else {
      return nil
    }
    return Receipt(cursor: cursor, isRepeated: parts[1].integer == 1)
  }

  static func position(_ value: RedisValue) -> LogPosition? {
    guard let parts = value.array, parts.count >= 3, let text = parts[0].string, let epoch = Epoch(text),
      let tail = parts[1].integer, let oldest = parts[2].integer,
      tail == 0 || Cursor.isMessage(offset: Int64(tail)),
      (1...tail + 1).contains(oldest)
    else { return nil }
    return LogPosition(epoch: epoch, tail: UInt64(tail), oldest: UInt64(oldest))
  }

  /// What lies before a hole, which only another's hand can make, is given up: the page begins after it, and the log
  /// with it, so that whoever was before the hole is told.
  static func page(_ value: RedisValue) -> LogPage? {
    if value.isNull { return LogPage(position: nil, messages: []) }
    guard var position = position(value), let parts = value.array, parts.count == 4,
      let entries = parts[3].array
    else { return nil }
    var messages: [Message] = []
    messages.reserveCapacity(entries.count)
    for entry in entries {
      guard let message = message(entry, position.epoch) else { return nil }
      let offset = message.cursor.offset
      if let last = messages.last?.cursor.offset, offset != last + 1 {
        guard offset > last else { return nil }
        messages.removeAll(keepingCapacity: true)
        position.oldest = max(position.oldest, min(offset, position.tail + 1))
      }
      messages.append(message)
    }
    return LogPage(position: position, messages: messages)
  }

  /// `[offset-0, [t, time, d, data, u, user]]`, the last two perhaps missing.
  private static func message(_ entry: RedisValue, _ epoch: Epoch) -> Message? {
    guard let parts = entry.array, parts.count == 2, let id = parts[0].string, id.hasSuffix("-0"),
      let offset = UInt64(id.dropLast(2)), Cursor.isMessage(offset: Int64(clamping: offset)),
      let fields = parts[1].array, fields.count >= 4,
      let time = fields[1].integer, let data = fields[3].bytes
    else { return nil }
    let user = fields.count >= 6 ? fields[5].string : nil
    return Message(cursor: Cursor(epoch, offset), data: data, user: user, time: Int64(time))
  }

  static func members(_ value: RedisValue, limit: Int) -> PresencePage? {
    guard let parts = value.array, parts.count == 3, let count = parts[0].integer,
      let users = parts[1].integer, let records = parts[2].array
    else { return nil }
    var members: [Member] = []
    for record in records.prefix(limit) {
      guard let member = record.bytes.flatMap(RedisFrame.member) else { return nil }
      members.append(member)
    }
    let next = records.count > limit ? members.last?.id : nil
    return PresencePage(members: members, count: count, users: users, next: next)
  }

  /// The id of the server's run, of what `INFO` says.
  static func run(_ info: String) -> String? {
    info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("run_id:") }.map { String($0.dropFirst(7)) }
  }

  /// For how long a node has said nothing. Clocks that are far apart, or no times at all, end at the largest.
  private static func silence(lease: TimeAmount, now: Int, until: Int) -> TimeAmount {
    let (left, isBeyond) = until.subtractingReportingOverflow(now)
    let milliseconds = isBeyond ? (until < now ? Int64.min : .max) : Int64(left)
    let (silence, isTooLong) = lease.nanoseconds.subtractingReportingOverflow(
      TimeAmount.milliseconds(milliseconds).nanoseconds
    )
    return isTooLong ? .nanoseconds(.max) : max(.zero, .nanoseconds(silence))
  }

  /// Nodes in the order of their names. A node that had to take its lease anew is listed once.
  ///
  /// `lease` is how long a lease lasts after a heartbeat.
  static func nodes(_ value: RedisValue, lease: TimeAmount) -> [NodeRecord]? {
    guard let parts = value.array, let now = parts.first?.integer, parts.count % 2 == 1 else { return nil }
    var latest: [String: (until: Int, record: NodeRecord)] = [:]
    for index in stride(from: 1, to: parts.count, by: 2) {
      guard let name = parts[index].string, var state = parts[index + 1].bytes,
        let space = state.readableBytesView.firstIndex(of: UInt8(ascii: " ")),
        let until = state.readString(length: space - state.readerIndex).flatMap({ Int($0) })
      else { return nil }
      state.moveReaderIndex(forwardBy: 1)
      let incarnation = RedisLease.incarnation(of: name)
      let record = NodeRecord(
        incarnation: incarnation,
        isAlive: until >= now,
        state: state,
        silence: silence(lease: lease, now: now, until: until)
      )
      if latest[incarnation].map({ $0.until < until }) ?? true { latest[incarnation] = (until, record) }
    }
    return latest.values.map(\.record).sorted { $0.incarnation < $1.incarnation }
  }
}

extension BrokerError {
  /// Whatever Redis says instead of an answer: it was not done, and may be tried again.
  init(_ error: RedisError) { self.init(.unavailable, error.description) }

  /// A script's answer has not the form that it should have.
  static let strangeAnswer = BrokerError(.unavailable, "Redis gave an answer that makes no sense")
}

extension Result<RedisValue, RedisError> {
  /// The answer as a value of the broker.
  func answer<Answer>(_ read: (RedisValue) -> Answer?) -> Result<Answer, BrokerError> {
    switch self {
    case .failure(let error): return .failure(BrokerError(error))
    case .success(let value):
      guard let answer = read(value) else { return .failure(.strangeAnswer) }
      return .success(answer)
    }
  }
}
