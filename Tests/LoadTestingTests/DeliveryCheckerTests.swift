import LoadTesting
import SluiceClient
import Testing
import Wire

private typealias Fault = DeliveryVerdict.Fault

/// Each fault is fed to the checker, alone, and must be found, alone.
@Suite struct DeliveryCheckerTests {
  private static let room = ChannelName("room:a")!
  private static let a = Epoch("aaaaaaaa")!
  private static let b = Epoch("bbbbbbbb")!
  private static let c = Epoch("cccccccc")!

  /// The payload that is published at this place.
  private static func payload(_ epoch: Epoch, _ offset: UInt64) -> PayloadIdentity {
    PayloadIdentity(value: epoch.bytes ^ (offset &* 0x9E37_79B9_7F4A_7C15))
  }

  /// One subscriber's track, written as it happens.
  private struct Story {
    var track = ChannelTrack(channel: room)

    init(from cursor: Cursor) { track.record(.started(at: cursor)) }

    func hears(_ epoch: Epoch, _ offsets: [UInt64]) -> Story {
      var story = self
      for offset in offsets { story.track.record(Cursor(epoch, offset), payload(epoch, offset)) }
      return story
    }

    func hears(_ epoch: Epoch, _ offsets: ClosedRange<UInt64>) -> Story { hears(epoch, Array(offsets)) }

    func hears(_ cursor: Cursor, insteadOfItsPayload identity: PayloadIdentity) -> Story {
      var story = self
      story.track.record(cursor, identity)
      return story
    }

    func notes(_ entry: ChannelTrack.Entry) -> Story {
      var story = self
      story.track.record(entry)
      return story
    }

    func isTold(_ from: Cursor, _ to: Cursor, _ reason: GapReason) -> Story {
      notes(.gap(Gap(from: from, to: to, reason: reason)))
    }
  }

  private func checker(_ acknowledged: [(Epoch, ClosedRange<UInt64>)]) -> DeliveryChecker {
    var checker = DeliveryChecker()
    for (epoch, offsets) in acknowledged {
      for offset in offsets {
        checker.acknowledged(Self.room, Cursor(epoch, offset), Self.payload(epoch, offset))
      }
    }
    return checker
  }

  private func verdict(_ checker: DeliveryChecker, _ stories: Story...) -> DeliveryVerdict {
    var checker = checker
    for (index, story) in stories.enumerated() {
      checker.check(
        DeliveryJournal(subscriber: "s\(index)", transport: .webSocket, tracks: [story.track])
      )
    }
    return checker.verdict()
  }

  private func expect(
    _ verdict: DeliveryVerdict,
    _ counts: [Fault: Int],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(verdict.counts == counts, "\(verdict)", sourceLocation: sourceLocation)
    for fault in counts.keys {
      #expect(verdict.evidence[fault]?.isEmpty == false, "\(verdict)", sourceLocation: sourceLocation)
    }
    #expect(verdict.isClean == counts.isEmpty, sourceLocation: sourceLocation)
  }

  // MARK: clean runs

  @Test func aWholeRunIsClean() {
    let verdict = verdict(checker([(Self.a, 1...100)]), Story(from: Cursor(Self.a, 0)).hears(Self.a, 1...100))
    expect(verdict, [:])
    #expect(verdict.deliveries == 100)
    #expect(verdict.acknowledged == 100)
    #expect(verdict.subscribers == 1)
  }

  @Test func whatCameBeforeTheStartIsNotOwed() {
    expect(verdict(checker([(Self.a, 1...9)]), Story(from: Cursor(Self.a, 5)).hears(Self.a, 6...9)), [:])
  }

  @Test func reconnectsThatGoOnAreClean() {
    let story = Story(from: Cursor(Self.a, 0)).hears(Self.a, 1...4).notes(.resumed(from: Cursor(Self.a, 4)))
      .hears(Self.a, 5...9)
    expect(verdict(checker([(Self.a, 1...9)]), story), [:])
  }

  @Test func whatWasStoredButNotAcknowledgedMayArrive() {
    expect(verdict(checker([(Self.a, 1...3)]), Story(from: Cursor(Self.a, 0)).hears(Self.a, 1...5)), [:])
  }

  @Test func aTrimmedGapThatIsToldIsCleanAndCounted() {
    let story = Story(from: Cursor(Self.a, 2)).isTold(Cursor(Self.a, 2), Cursor(Self.a, 7), .trimmed)
      .hears(Self.a, 8...9)
    let verdict = verdict(checker([(Self.a, 1...9)]), story)
    expect(verdict, [:])
    #expect(verdict.gaps == [.trimmed: 1])
    #expect(verdict.announcedMissing == 5)
  }

  @Test func aResetThatIsToldIsClean() {
    let story = Story(from: Cursor(Self.a, 0)).hears(Self.a, 1...3)
      .isTold(Cursor(Self.a, 3), Cursor(Self.b, 0), .reset).hears(Self.b, 1...4)
    let verdict = verdict(checker([(Self.a, 1...5), (Self.b, 1...4)]), story)
    expect(verdict, [:])
    #expect(verdict.announcedMissing == 2)
  }

  @Test func aResetOverTwoEpochsCoversTheOneBetween() {
    let story = Story(from: Cursor(Self.a, 0)).hears(Self.a, 1...3)
      .isTold(Cursor(Self.a, 3), Cursor(Self.c, 0), .reset).hears(Self.c, 1...2)
    expect(verdict(checker([(Self.a, 1...5), (Self.b, 1...4), (Self.c, 1...2)]), story), [:])
  }

  @Test func aResetToTheLogsEndGoesOnFromThere() {
    let story = Story(from: Cursor(Self.a, 9)).isTold(Cursor(Self.a, 9), Cursor(Self.a, 4), .reset)
      .hears(Self.a, 5...6)
    expect(verdict(checker([(Self.a, 1...6)]), story), [:])
  }

  @Test func aResetAfterWhichNothingIsPublishedIsClean() {
    let story = Story(from: Cursor(Self.a, 0)).hears(Self.a, 1...3)
      .isTold(Cursor(Self.a, 3), Cursor(Self.b, 0), .reset)
    expect(verdict(checker([(Self.a, 1...3)]), story), [:])
  }

  @Test func whoLeftIsOwedNothingMore() {
    let story = Story(from: Cursor(Self.a, 0)).hears(Self.a, 1...3).notes(.stopped)
    expect(verdict(checker([(Self.a, 1...9)]), story), [:])
  }

  // MARK: faults

  @Test func anEndThatDoesNotArriveIsLost() {
    let story = Story(from: Cursor(Self.a, 0)).hears(Self.a, 1...7)
    expect(verdict(checker([(Self.a, 1...9)]), story), [.lost: 2])
  }

  @Test func aHoleIsAnUndetectedGapAndItsMessagesAreLost() {
    let story = Story(from: Cursor(Self.a, 0)).hears(Self.a, [1, 2, 5, 6])
    expect(verdict(checker([(Self.a, 1...6)]), story), [.undetectedGap: 1, .lost: 2])
  }

  @Test func aHoleOfWhatNobodyWasPromisedIsStillUndetected() {
    let story = Story(from: Cursor(Self.a, 0)).hears(Self.a, [1, 3])
    expect(verdict(checker([(Self.a, 1...1), (Self.a, 3...3)]), story), [.undetectedGap: 1])
  }

  @Test func aMessageTwiceIsDuplicated() {
    let story = Story(from: Cursor(Self.a, 0)).hears(Self.a, [1, 2, 2, 3])
    expect(verdict(checker([(Self.a, 1...3)]), story), [.duplicated: 1])
  }

  @Test func aRunRepeatedAfterAReconnectIsDuplicated() {
    let story = Story(from: Cursor(Self.a, 0)).hears(Self.a, 1...5).notes(.resumed(from: Cursor(Self.a, 5)))
      .hears(Self.a, 3...8)
    expect(verdict(checker([(Self.a, 1...8)]), story), [.duplicated: 3])
  }

  @Test func twoSwappedAreReorderedAndNothingElse() {
    let story = Story(from: Cursor(Self.a, 0)).hears(Self.a, [1, 3, 2, 4])
    expect(verdict(checker([(Self.a, 1...4)]), story), [.reordered: 1])
  }

  @Test func aLateOneOfSeveralLeavesTheOthersLost() {
    let story = Story(from: Cursor(Self.a, 0)).hears(Self.a, [1, 5, 3, 6])
    expect(verdict(checker([(Self.a, 1...6)]), story), [.reordered: 1, .undetectedGap: 1, .lost: 2])
  }

  @Test func aLateOneTwiceIsReorderedAndDuplicated() {
    let story = Story(from: Cursor(Self.a, 0)).hears(Self.a, [1, 3, 2, 2, 4])
    expect(verdict(checker([(Self.a, 1...4)]), story), [.reordered: 1, .duplicated: 1])
  }

  @Test func anotherEpochWithoutAWordIsUndetected() {
    let story = Story(from: Cursor(Self.a, 0)).hears(Self.a, 1...3).hears(Self.b, 1...2)
    expect(verdict(checker([(Self.a, 1...5), (Self.b, 1...2)]), story), [.undetectedGap: 1, .lost: 2])
  }

  @Test func anEpochThatNeverArrivesIsLost() {
    let story = Story(from: Cursor(Self.a, 0)).hears(Self.a, 1...3)
    expect(verdict(checker([(Self.a, 1...3), (Self.b, 1...2)]), story), [.lost: 2])
  }

  @Test func aLogThatBeginsAfterAnIdleStartAndNeverArrivesIsLost() {
    expect(verdict(checker([(Self.b, 1...2)]), Story(from: Cursor(Self.a, 0))), [.lost: 2])
  }

  @Test func aGapThatDoesNotReachBackToThePositionIsUndetected() {
    let story = Story(from: Cursor(Self.a, 2)).isTold(Cursor(Self.a, 4), Cursor(Self.a, 7), .trimmed)
      .hears(Self.a, 8...9)
    expect(verdict(checker([(Self.a, 1...9)]), story), [.undetectedGap: 1, .lost: 2])
  }

  @Test func aGapThatEndsTooEarlyIsUndetected() {
    let story = Story(from: Cursor(Self.a, 2)).isTold(Cursor(Self.a, 2), Cursor(Self.a, 5), .overflow)
      .hears(Self.a, 8...9)
    expect(verdict(checker([(Self.a, 1...9)]), story), [.undetectedGap: 1, .lost: 2])
  }

  @Test func aGapFromSomewhereElseIsMisstated() {
    let story = Story(from: Cursor(Self.a, 4)).isTold(Cursor(Self.a, 2), Cursor(Self.a, 7), .trimmed)
      .hears(Self.a, 8...9)
    expect(verdict(checker([(Self.a, 1...9)]), story), [.misstatedGap: 1])
  }

  @Test func aResumeThatIsNoneIsUndetected() {
    let story = Story(from: Cursor(Self.a, 0)).hears(Self.a, 1...3)
      .notes(.misplaced(asked: Cursor(Self.a, 3), answered: Cursor(Self.b, 0)))
    expect(verdict(checker([(Self.a, 1...3)]), story), [.undetectedGap: 1])
  }

  @Test func anotherPayloadIsFound() {
    let story = Story(from: Cursor(Self.a, 0)).hears(Self.a, 1...2)
      .hears(Cursor(Self.a, 3), insteadOfItsPayload: Self.payload(Self.c, 1)).hears(Self.a, 4...4)
    expect(verdict(checker([(Self.a, 1...4)]), story), [.wrongPayload: 1])
  }

  @Test func subscribersThatDisagreeAboutWhatWasNeverAcknowledgedAreFound() {
    let one = Story(from: Cursor(Self.a, 0)).hears(Self.a, 1...2)
    let other = Story(from: Cursor(Self.a, 0)).hears(Self.a, 1...1)
      .hears(Cursor(Self.a, 2), insteadOfItsPayload: Self.payload(Self.c, 1))
    expect(verdict(checker([(Self.a, 1...1)]), one, other), [.wrongPayload: 1])
  }

  @Test func oneCursorForTwoPublishesIsFound() {
    var checker = checker([(Self.a, 1...3)])
    checker.acknowledged(Self.room, Cursor(Self.a, 3), Self.payload(Self.c, 3))
    expect(verdict(checker, Story(from: Cursor(Self.a, 0)).hears(Self.a, 1...3)), [.wrongPayload: 1])
  }

  @Test func onePublishStoredTwiceIsDuplicated() {
    var checker = checker([(Self.a, 1...2)])
    checker.acknowledged(Self.room, Cursor(Self.a, 3), Self.payload(Self.a, 1))
    let story = Story(from: Cursor(Self.a, 0)).hears(Self.a, 1...2)
      .hears(Cursor(Self.a, 3), insteadOfItsPayload: Self.payload(Self.a, 1))
    expect(verdict(checker, story), [.duplicated: 1])
  }

  @Test func anAnswerRepeatedForTheSamePublishIsNoFault() {
    var checker = checker([(Self.a, 1...2)])
    checker.acknowledged(Self.room, Cursor(Self.a, 2), Self.payload(Self.a, 2))
    expect(verdict(checker, Story(from: Cursor(Self.a, 0)).hears(Self.a, 1...2)), [:])
  }

  @Test func aSubscriberThatNeverWasIsFound() {
    var checker = checker([(Self.a, 1...2)])
    checker.check(
      DeliveryJournal(
        subscriber: "s",
        transport: .eventStream,
        tracks: [ChannelTrack(channel: Self.room)],
        complaints: ["unavailable: the store does not answer"]
      )
    )
    let verdict = checker.verdict()
    #expect(verdict[.lost] == 1)
    #expect(verdict.complaints == ["s: unavailable: the store does not answer"])
  }

  // MARK: the whole

  @Test func eachSubscriberAndChannelIsJudgedByItself() {
    var checker = checker([(Self.a, 1...50)])
    let other = ChannelName("room:b")!
    for offset in UInt64(1)...50 {
      checker.acknowledged(other, Cursor(Self.b, offset), Self.payload(Self.b, offset))
    }
    var lagging = ChannelTrack(channel: other)
    lagging.record(.started(at: Cursor(Self.b, 0)))
    for offset in UInt64(1)...49 { lagging.record(Cursor(Self.b, offset), Self.payload(Self.b, offset)) }
    let whole = Story(from: Cursor(Self.a, 0)).hears(Self.a, 1...50).track
    checker.check(DeliveryJournal(subscriber: "s", transport: .webSocket, tracks: [whole, lagging]))
    checker.check(DeliveryJournal(subscriber: "t", transport: .webSocket, tracks: [whole]))
    let verdict = checker.verdict()
    expect(verdict, [.lost: 1])
    #expect(verdict.evidence[.lost]?.first == "s, room:b: bbbbbbbb.50 after its last position bbbbbbbb.49")
    #expect(checker.tail(of: Self.room) == Cursor(Self.a, 50))
    #expect(verdict.description.contains("lost 1, duplicated 0"))
  }

  @Test func evidenceIsBoundedAndCountsAreNot() {
    var checker = checker([(Self.a, 1...10)])
    for index in 0..<100 {
      let story = Story(from: Cursor(Self.a, 0)).hears(Self.a, 1...9)
      checker.check(DeliveryJournal(subscriber: "s\(index)", transport: .webSocket, tracks: [story.track]))
    }
    let verdict = checker.verdict()
    #expect(verdict[.lost] == 100)
    #expect(verdict.evidence[.lost]?.count == DeliveryVerdict.evidenceLimit)
  }

  @Test func offsetsOutOfAllReasonAreHeldInLittleMemory() {
    let story = Story(from: Cursor(Self.a, 0)).hears(Self.a, [1, Cursor.maximumOffset, 2, 3])
    let verdict = verdict(checker([(Self.a, 1...3)]), story)
    #expect(verdict[.undetectedGap] == 1)
    #expect(verdict[.wrongPayload] == 1)
  }
}
