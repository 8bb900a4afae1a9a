import Brokering
import NIOCore
import Testing
import Wire

@testable import Transports

/// The pages beside a page of a log.
struct HistoryPageTests {
  private static let epoch = Epoch("k3f9x2ab")!
  private let channel = ChannelName("room:a")!

  private func cursor(_ offset: UInt64) -> Cursor { Cursor(Self.epoch, offset) }

  /// A page of a log that holds what lies between two offsets.
  private func page(_ range: HistoryRange, _ messages: ClosedRange<UInt64>?, held: ClosedRange<UInt64>?)
    -> HistoryPage
  {
    let messages = messages.map(Array.init) ?? []
    let tail = held?.upperBound ?? 9
    return HistoryPage(
      LogPage(
        position: LogPosition(epoch: Self.epoch, tail: tail, oldest: held?.lowerBound ?? tail + 1),
        messages: messages.map {
          Message(cursor: cursor($0), data: ByteBuffer(string: "1"), user: nil, time: 0)
        }
      ),
      range
    )
  }

  private func link(_ page: HistoryPage) -> String? { page.link(of: channel, limit: 2) }

  private func next(_ offset: UInt64) -> String {
    "</v1/channels/room:a/messages?since=\(cursor(offset))&limit=2>; rel=\"next\""
  }

  private func previous(_ offset: UInt64) -> String {
    "</v1/channels/room:a/messages?before=\(cursor(offset))&limit=2>; rel=\"prev\""
  }

  @Test func aPageLeadsToItsNeighbours() {
    #expect(link(page(.newest, 8...9, held: 1...9)) == previous(8))
    #expect(link(page(.since(.start), 1...2, held: 1...9)) == next(2))
    #expect(link(page(.before(cursor(5)), 3...4, held: 1...9)) == next(4) + ", " + previous(3))
    #expect(link(page(.newest, 8...9, held: 8...9)) == nil)
  }

  /// Whoever has gone back to the beginning gets forward again.
  @Test func anEmptyPageBeforeTheOldestLeadsToIt() {
    #expect(link(page(.before(cursor(1)), nil, held: 1...9)) == next(0))
    #expect(link(page(.before(cursor(0)), nil, held: 1...9)) == next(0))
    #expect(link(page(.before(cursor(5)), nil, held: 5...9)) == next(4))
    #expect(page(.before(cursor(1)), nil, held: 1...9).cursor == cursor(0))
  }

  @Test func anEmptyPageWithNothingBehindItLeadsNowhere() {
    #expect(link(page(.since(.cursor(cursor(9))), nil, held: 1...9)) == nil)
    for range in [HistoryRange.newest, .since(.start), .since(.cursor(cursor(3))), .before(cursor(3))] {
      #expect(link(page(range, nil, held: nil)) == nil)
    }
    #expect(HistoryPage(LogPage(position: nil, messages: []), .newest).link(of: channel, limit: nil) == nil)
  }
}
