import SluiceClient
import Testing
import Wire

@Suite struct ChannelFollowerTests {
  private let a = Epoch("aaaaaaaa")!
  private let b = Epoch("bbbbbbbb")!
  private var follower = ChannelFollower(channel: ChannelName("room")!)

  private func identity(_ offset: UInt64) -> PayloadIdentity { PayloadIdentity(value: offset) }

  private mutating func hear(_ leg: Int, _ epoch: Epoch, _ offsets: ClosedRange<UInt64>) -> [UInt64] {
    offsets.filter { follower.message(leg: leg, Cursor(epoch, $0), identity($0)) }
  }

  private func expect(_ heard: [UInt64], _ expected: [UInt64], at: SourceLocation = #_sourceLocation) {
    #expect(heard == expected, sourceLocation: at)
  }

  @Test mutating func followsOneConnection() {
    follower.subscribed(leg: 0, at: Cursor(a, 4), resumed: false, asked: nil)
    expect(hear(0, a, 5...9), Array(5...9))
    #expect(follower.position == Cursor(a, 9))
    #expect(follower.track.entries == [.started(at: Cursor(a, 4)), .messages(first: Cursor(a, 5), count: 5)])
    #expect(follower.track.identities == (5...9).map(identity))
  }

  @Test mutating func passesOverWhatTwoConnectionsBothBring() {
    follower.subscribed(leg: 0, at: Cursor(a, 0), resumed: false, asked: nil)
    expect(hear(0, a, 1...5), Array(1...5))
    let asked = follower.position
    expect(hear(0, a, 6...8), Array(6...8))
    follower.subscribed(leg: 1, at: asked, resumed: true, asked: asked)
    expect(hear(1, a, 6...7), [])
    expect(hear(0, a, 9...9), [])
    expect(hear(1, a, 8...10), [9, 10])
    #expect(follower.overlapping == 3)
    #expect(follower.position == Cursor(a, 10))
  }

  @Test mutating func keepsWhatOneConnectionRepeats() {
    follower.subscribed(leg: 0, at: Cursor(a, 0), resumed: false, asked: nil)
    _ = hear(0, a, 1...3)
    expect(hear(0, a, 3...3), [3])
    #expect(follower.track.entries.last == .messages(first: Cursor(a, 3), count: 1))
    #expect(follower.position == Cursor(a, 3))
  }

  @Test mutating func keepsAHoleAsItCame() {
    follower.subscribed(leg: 0, at: Cursor(a, 0), resumed: false, asked: nil)
    _ = hear(0, a, 1...1)
    _ = hear(0, a, 4...5)
    #expect(
      follower.track.entries.suffix(2) == [
        .messages(first: Cursor(a, 1), count: 1), .messages(first: Cursor(a, 4), count: 2),
      ]
    )
  }

  @Test mutating func goesOnAfterAGap() {
    follower.subscribed(leg: 0, at: Cursor(a, 2), resumed: false, asked: nil)
    follower.subscribed(leg: 1, at: Cursor(b, 0), resumed: false, asked: Cursor(a, 2))
    let gap = Gap(from: Cursor(a, 2), to: Cursor(b, 0), reason: .reset)
    let isNews = follower.gap(leg: 1, gap)
    #expect(isNews)
    #expect(follower.position == Cursor(b, 0))
    expect(hear(1, b, 1...2), [1, 2])
    #expect(
      follower.track.entries == [
        .started(at: Cursor(a, 2)), .resumed(from: Cursor(a, 2)), .gap(gap),
        .messages(first: Cursor(b, 1), count: 2),
      ]
    )
  }

  @Test mutating func passesOverAGapThatTheOldConnectionWasToldToo() {
    follower.subscribed(leg: 0, at: Cursor(a, 2), resumed: false, asked: nil)
    _ = follower.gap(leg: 0, Gap(from: Cursor(a, 2), to: Cursor(b, 0), reason: .reset))
    expect(hear(0, b, 1...5), Array(1...5))
    follower.subscribed(leg: 1, at: Cursor(a, 2), resumed: false, asked: Cursor(a, 2))
    let isNews = follower.gap(leg: 1, Gap(from: Cursor(a, 2), to: Cursor(b, 3), reason: .reset))
    #expect(!isNews)
    expect(hear(1, b, 4...7), [6, 7])
  }

  @Test mutating func goesBackToTheEndOfALogThatIsShorter() {
    follower.subscribed(leg: 0, at: Cursor(a, 9), resumed: false, asked: nil)
    follower.subscribed(leg: 1, at: Cursor(a, 4), resumed: false, asked: Cursor(a, 9))
    let isNews = follower.gap(leg: 1, Gap(from: Cursor(a, 9), to: Cursor(a, 4), reason: .reset))
    #expect(isNews)
    expect(hear(1, a, 5...6), [5, 6])
    #expect(follower.position == Cursor(a, 6))
  }

  @Test mutating func noticesAResumeThatIsNone() {
    follower.subscribed(leg: 0, at: Cursor(a, 9), resumed: false, asked: nil)
    follower.subscribed(leg: 1, at: Cursor(a, 4), resumed: true, asked: Cursor(a, 9))
    #expect(follower.track.entries.last == .misplaced(asked: Cursor(a, 9), answered: Cursor(a, 4)))
  }
}
