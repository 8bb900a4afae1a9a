public import Wire

/// Everything one subscriber heard of one channel, in order, as small as it can be: contiguous messages are one
/// entry, and eight bytes each unless a witness keeps what they were.
public struct ChannelTrack: Sendable {
  public enum Entry: Sendable, Hashable {
    /// The first subscription: what lies after the cursor is owed.
    case started(at: Cursor)
    /// So many messages with contiguous offsets, `first` the first.
    case messages(first: Cursor, count: Int)
    case gap(Gap)
    /// A new connection goes on from this position.
    case resumed(from: Cursor)
    /// A new connection claims to go on as asked, but says another position.
    case misplaced(asked: Cursor, answered: Cursor)
    /// Another payload than a witness had seen there before.
    case differed(at: Cursor)
    /// The subscriber left of its own will: nothing later is owed.
    case stopped
  }

  public let channel: ChannelName
  /// One for each message, in the order of arrival; none where a witness keeps them.
  public private(set) var identities: [PayloadIdentity] = []
  private var closedEntries: [Entry] = []
  private var runFirst: Cursor?
  private var runCount = 0

  public init(channel: ChannelName) {
    self.channel = channel
  }

  public var entries: [Entry] {
    runFirst.map { closedEntries + [.messages(first: $0, count: runCount)] } ?? closedEntries
  }

  /// - Parameter identity: nil where a witness keeps it, and then always.
  public mutating func record(_ cursor: Cursor, _ identity: PayloadIdentity?) {
    if let identity { identities.append(identity) }
    if let first = runFirst, first.epoch == cursor.epoch, first.offset + UInt64(runCount) == cursor.offset {
      runCount += 1
    } else {
      closeRun()
      runFirst = cursor
      runCount = 1
    }
  }

  public mutating func record(_ entry: Entry) {
    closeRun()
    closedEntries.append(entry)
  }

  private mutating func closeRun() {
    if let first = runFirst.take() { closedEntries.append(.messages(first: first, count: runCount)) }
  }
}
