import LoadTesting
import NIOConcurrencyHelpers
import NIOCore
import SluiceClient
import Wire

/// What publishers were told.
final class Ledger: Sendable {
  struct Entry: Sendable {
    let channel: ChannelName
    let cursor: Cursor
    let identity: PayloadIdentity
    let at: NIODeadline
  }

  private let entries = NIOLockedValueBox<[Entry]>([])
  private let refused = NIOLockedValueBox<[String]>([])

  func acknowledged(_ channel: ChannelName, _ cursor: Cursor, _ data: ByteBuffer) {
    let entry = Entry(channel: channel, cursor: cursor, identity: PayloadIdentity(data), at: .now())
    entries.withLockedValue { $0.append(entry) }
  }

  func failed(_ reason: String) { refused.withLockedValue { $0.append(reason) } }

  var all: [Entry] { entries.withLockedValue { $0 } }
  var failures: [String] { refused.withLockedValue { $0 } }
  var count: Int { entries.withLockedValue { $0.count } }

  /// The newest of each channel.
  var tails: [ChannelName: Cursor] {
    var tails: [ChannelName: Cursor] = [:]
    for entry in all {
      if let tail = tails[entry.channel], tail.epoch == entry.cursor.epoch, tail.offset > entry.cursor.offset
      {
        continue
      }
      tails[entry.channel] = entry.cursor
    }
    return tails
  }

  /// What the checker says of everyone's journal.
  func verdict(on journals: [DeliveryJournal]) -> DeliveryVerdict {
    var checker = DeliveryChecker()
    for entry in all { checker.acknowledged(entry.channel, entry.cursor, entry.identity) }
    for journal in journals { checker.check(journal) }
    return checker.verdict()
  }
}
