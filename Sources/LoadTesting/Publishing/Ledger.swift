import NIOConcurrencyHelpers
public import NIOCore
public import SluiceClient
public import Wire

/// What publishers were told.
public final class Ledger: Sendable {
  public struct Entry: Sendable {
    public let channel: ChannelName
    public let cursor: Cursor
    public let identity: PayloadIdentity
  }

  private struct Book {
    var entries: [Entry] = []
    var refused: [String] = []
    var tails: [ChannelName: Cursor] = [:]
  }

  private let book = NIOLockedValueBox(Book())

  public init() {}

  public func acknowledged(_ channel: ChannelName, _ cursor: Cursor, _ data: ByteBuffer) {
    acknowledged(channel, cursor, PayloadIdentity(data))
  }

  func acknowledged(_ channel: ChannelName, _ cursor: Cursor, _ identity: PayloadIdentity) {
    let entry = Entry(channel: channel, cursor: cursor, identity: identity)
    book.withLockedValue { book in
      book.entries.append(entry)
      if let tail = book.tails[channel], tail.epoch == cursor.epoch, tail.offset > cursor.offset { return }
      book.tails[channel] = cursor
    }
  }

  public func failed(_ reason: String) { book.withLockedValue { $0.refused.append(reason) } }

  public var all: [Entry] { book.withLockedValue { $0.entries } }
  /// Why publishes were given up.
  public var failures: [String] { book.withLockedValue { $0.refused } }
  public var count: Int { book.withLockedValue { $0.entries.count } }

  /// The newest of each channel.
  public var tails: [ChannelName: Cursor] { book.withLockedValue { $0.tails } }

  /// What the checker says of everyone's journal.
  public func verdict(on journals: [DeliveryJournal]) -> DeliveryVerdict {
    var checker = checker()
    for journal in journals { checker.check(journal) }
    return checker.verdict()
  }

  /// One that knows what was acknowledged.
  func checker() -> DeliveryChecker {
    var checker = DeliveryChecker()
    for entry in all { checker.acknowledged(entry.channel, entry.cursor, entry.identity) }
    return checker
  }
}
