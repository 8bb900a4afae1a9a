import SluiceClient
import Wire

extension Ledger {
  /// What all the processes of a run were told.
  convenience init(_ pages: [LedgerPage]) {
    self.init()
    for entry in pages.lazy.compactMap(\.entries).joined() {
      acknowledged(entry.channel, entry.cursor, entry.identity)
    }
  }

  /// What it holds, for the other processes of a run.
  var pages: [LedgerPage] {
    LedgerPage.pages(of: all.lazy.map { ($0.channel, $0.cursor, $0.identity) })
  }
}
