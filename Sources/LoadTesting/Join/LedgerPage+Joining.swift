public import SluiceClient
public import Wire

extension LedgerPage {
  private static let unknown = "-"

  /// One for each numbering of each channel, in the order of their first entries.
  public static func pages(
    of entries: some Sequence<(channel: ChannelName, cursor: Cursor, identity: PayloadIdentity)>
  ) -> [LedgerPage] {
    var order: [String] = []
    var books: [String: (channel: ChannelName, epoch: Epoch, offsets: [UInt64: UInt64])] = [:]
    for entry in entries {
      let name = "\(entry.channel)@\(entry.cursor.epoch)"
      if books[name] == nil {
        order.append(name)
        books[name] = (entry.channel, entry.cursor.epoch, [:])
      }
      books[name]?.offsets[entry.cursor.offset] = entry.identity.value
    }
    return order.compactMap { name in
      guard let book = books[name], let first = book.offsets.keys.min(), let last = book.offsets.keys.max()
      else {
        return nil
      }
      return LedgerPage(
        channel: book.channel.text,
        epoch: "\(book.epoch)",
        first: first,
        identities: (first...last).map { book.offsets[$0].map { String($0, radix: 16) } ?? unknown }
      )
    }
  }

  /// What stands on it; nil when it is no page.
  public var entries: [(channel: ChannelName, cursor: Cursor, identity: PayloadIdentity)]? {
    guard let channel = ChannelName(channel), let epoch = Epoch(epoch) else { return nil }
    var entries: [(channel: ChannelName, cursor: Cursor, identity: PayloadIdentity)] = []
    entries.reserveCapacity(identities.count)
    for (index, text) in identities.enumerated() where text != LedgerPage.unknown {
      guard let value = UInt64(text, radix: 16) else { return nil }
      entries.append((channel, Cursor(epoch, first + UInt64(index)), PayloadIdentity(value: value)))
    }
    return entries
  }
}
