import Brokering
import NIOCore
import NIOPosix
import Testing
import Wire

/// What every broker promises, held against each of them.
struct BrokerSuite {
  /// The namespaces that the broker under test is made with.
  static var namespaces: Namespaces {
    var latest = NamespaceOptions()
    latest.delivery = .latest
    var ephemeral = NamespaceOptions()
    ephemeral.delivery = .ephemeral
    var short = NamespaceOptions()
    short.history = 5
    var brief = NamespaceOptions()
    brief.historyTTL = 1
    var silent = NamespaceOptions()
    silent.presenceEvents = .off
    return Namespaces(named: [
      "latest": latest, "ephemeral": ephemeral, "short": short, "brief": brief, "silent": silent,
    ])
  }

  let near: PortProbe
  let far: PortProbe

  /// `far` may be a port of another node of the same cluster.
  init(_ near: any Broker, _ far: any Broker) async throws {
    self.near = try await PortProbe.make(near, on: MultiThreadedEventLoopGroup.singleton.next())
    self.far = try await PortProbe.make(far, on: MultiThreadedEventLoopGroup.singleton.next())
  }

  func run() async throws {
    try await offsetsAreContiguousAndTheFeedHasTheirOrder()
    try await aKeyIsStoredOnce()
    try await historyIsPagedBothWays()
    try await aReadMakesNoLogAndAPositionDoes()
    try await aPageHasNoMoreThanItsBytes()
    try await theOldestIsTrimmed()
    try await positionsAreExact()
    try await aNewEpochKeepsWhatIsHeld()
    try await latestHoldsOneAndEphemeralNone()
    try await detachedHearsNothing()
    try await presenceCountsHolders()
    try await whatOnlyLooksTheSameIsAnother()
  }

  func offsetsAreContiguousAndTheFeedHasTheirOrder() async throws {
    let channel = ChannelName("order:a")!
    let start = try #require(try await near.attach(channel))
    #expect(try await far.attach(channel)?.epoch == start.epoch)
    #expect(start.tail == 0 && start.oldest == 1)
    for number in 1...40 {
      let receipt = try await (number % 2 == 0 ? near : far).publish(channel, "\(number)")
      #expect(receipt.cursor == Cursor(start.epoch, UInt64(number)))
      #expect(!receipt.isRepeated)
    }
    let expected = (1...40).map { "\($0):\($0)" }
    for probe in [near, far] {
      try await probe.wait { $0.items.count { $0.0 == channel } >= 40 }
      #expect(try await probe.items(channel) == expected)
    }
  }

  func aKeyIsStoredOnce() async throws {
    let channel = ChannelName("key:a")!
    let first = try await near.publish(channel, "1", key: "k")
    let again = try await far.publish(channel, "1", key: "k")
    #expect(again == Receipt(cursor: first.cursor, isRepeated: true))
    let other = try await far.publish(channel, "2", key: "l")
    #expect(other.cursor?.offset == 2 && !other.isRepeated)
    // Nobody can use up another user's key, by whatever name.
    for (user, key) in [("ada", "k"), ("bob", "k"), (nil, "@3:ada:k"), (nil, "3:ada:k"), ("ada:k", "k")] {
      #expect(try await !near.publish(channel, "3", user: user, key: key).isRepeated, "\(key)")
      #expect(try await far.publish(channel, "3", user: user, key: key).isRepeated, "\(key)")
    }
    #expect(try await near.read(channel, .newest).messages.count == 7)
  }

  /// Of what Unicode takes for equivalent, only the bytes tell who and what it is.
  func whatOnlyLooksTheSameIsAnother() async throws {
    let channel = ChannelName("alike:a")!
    // Of the same length, too.
    let alike = ["a\u{323}\u{307}", "a\u{307}\u{323}", "\u{1ea1}\u{307}"]
    #expect(Set(alike).count == 1)
    for key in alike { #expect(try await !near.publish(channel, "1", user: "ada", key: key).isRepeated) }
    for user in alike { #expect(try await !near.publish(channel, "2", user: user, key: "k").isRepeated) }
    for user in alike { #expect(try await far.publish(channel, "2", user: user, key: "k").isRepeated) }
    #expect(try await far.read(channel, .newest).messages.count == 6)

    for (number, user) in alike.enumerated() {
      let member = Member(id: "m\(number)", user: user, since: 1)
      try await near.join(channel, member, holder: UInt64(100 + number))
    }
    #expect(try await near.members(channel).users == 3)
    for number in alike.indices { try await near.leave(channel, "m\(number)", holder: UInt64(100 + number)) }
    #expect(try await near.members(channel).users == 0)

    let connect = { (user: String) in
      try await near.ask { port, done in port.connect(user: user, limit: 1) { done(.success($0)) } }
    }
    for user in alike { #expect(try await connect(user)) }
    for user in alike { #expect(try await !connect(user)) }
  }

  func historyIsPagedBothWays() async throws {
    let channel = ChannelName("pages:a")!
    #expect(try await near.read(channel, .newest) == LogPage(position: nil, messages: []))
    for number in 1...10 { _ = try await near.publish(channel, "\(number)") }
    let whole = try await far.read(channel, .since(.start))
    let position = try #require(whole.position)
    #expect(whole.messages.map { $0.cursor.offset } == Array(1...10))
    #expect(whole.messages.map { String(buffer: $0.data) } == (1...10).map(String.init))
    #expect(position.tail == 10 && position.oldest == 1)
    func offsets(_ range: HistoryRange, _ limit: Int) async throws -> [UInt64] {
      try await near.read(channel, range, limit: limit).messages.map { $0.cursor.offset }
    }
    func cursor(_ offset: UInt64) -> Cursor { Cursor(position.epoch, offset) }
    #expect(try await offsets(.newest, 3) == [8, 9, 10])
    #expect(try await offsets(.since(.start), 3) == [1, 2, 3])
    #expect(try await offsets(.since(.cursor(cursor(0))), 2) == [1, 2])
    #expect(try await offsets(.since(.cursor(cursor(3))), 3) == [4, 5, 6])
    #expect(try await offsets(.since(.cursor(cursor(9))), 3) == [10])
    #expect(try await offsets(.since(.cursor(cursor(10))), 3) == [])
    #expect(try await offsets(.since(.cursor(cursor(11))), 3) == [])
    #expect(try await offsets(.before(cursor(5)), 3) == [2, 3, 4])
    #expect(try await offsets(.before(cursor(1)), 3) == [])
    #expect(try await offsets(.before(cursor(0)), 3) == [])
    for beyond in [11, 12, Cursor.maximumOffset] {
      #expect(try await offsets(.before(cursor(beyond)), 2) == [9, 10])
    }
    let stranger = Cursor(Epoch("zzzzzzzz")!, 1)
    for range in [HistoryRange.since(.cursor(stranger)), .before(stranger)] {
      let page = try await near.read(channel, range, limit: 3)
      #expect(page == LogPage(position: position, messages: []))
    }
  }

  func aReadMakesNoLogAndAPositionDoes() async throws {
    let channel = ChannelName("pages:none")!
    let stranger = Cursor(Epoch("zzzzzzzz")!, 3)
    let ranges: [HistoryRange] = [
      .newest, .since(.start), .since(.cursor(stranger)), .before(stranger),
    ]
    for range in ranges {
      #expect(try await near.read(channel, range) == LogPage(position: nil, messages: []))
    }
    let position = try await near.verify(channel, nil)
    #expect(position.tail == 0 && position.oldest == 1)
    for range in ranges + [.before(Cursor(position.epoch, 9))] {
      #expect(try await far.read(channel, range) == LogPage(position: position, messages: []))
    }
    #expect(try await far.publish(channel, "1").cursor == Cursor(position.epoch, 1))
  }

  func aPageHasNoMoreThanItsBytes() async throws {
    let channel = ChannelName("large:a")!
    let third = "\"\(String(repeating: "x", count: LogPage.dataLimit / 3 - 2))\""
    for _ in 1...8 { _ = try await near.publish(channel, third) }
    func offsets(_ range: HistoryRange, _ limit: Int = 1_000) async throws -> [UInt64] {
      try await far.read(channel, range, limit: limit).messages.map { $0.cursor.offset }
    }
    let epoch = try #require(try await near.read(channel, .newest, limit: 1).position).epoch
    #expect(try await offsets(.newest) == [6, 7, 8])
    #expect(try await offsets(.newest, 2) == [7, 8])
    #expect(try await offsets(.since(.start)) == [1, 2, 3])
    #expect(try await offsets(.since(.cursor(Cursor(epoch, 3)))) == [4, 5, 6])
    #expect(try await offsets(.since(.cursor(Cursor(epoch, 6)))) == [7, 8])
    #expect(try await offsets(.before(Cursor(epoch, 6))) == [3, 4, 5])
    #expect(try await offsets(.before(Cursor(epoch, 3))) == [1, 2])
    _ = try await near.publish(channel, "\"\(String(repeating: "x", count: LogPage.dataLimit))\"")
    #expect(try await offsets(.newest) == [9])
    #expect(try await offsets(.since(.cursor(Cursor(epoch, 8)))) == [9])
    #expect(try await offsets(.since(.cursor(Cursor(epoch, 7)))) == [8])
    let many = ChannelName("many:a")!
    for number in 1...100 { _ = try await near.publish(many, "\(number)") }
    let all = try await far.read(many, .newest, limit: 1_000).messages.map { $0.cursor.offset }
    #expect(all == Array(1...100))
  }

  func theOldestIsTrimmed() async throws {
    let channel = ChannelName("short:a")!
    for number in 1...12 { _ = try await near.publish(channel, "\(number)") }
    let page = try await far.read(channel, .since(.start))
    #expect(page.messages.map { $0.cursor.offset } == Array(8...12))
    #expect(page.position?.oldest == 8)
    let cursor = Cursor(try #require(page.position).epoch, 2)
    #expect(
      try await near.read(channel, .since(.cursor(cursor)), limit: 2).messages.map { $0.cursor.offset } == [
        8, 9,
      ]
    )
    #expect(
      try await near.read(channel, .before(Cursor(cursor.epoch, 9))).messages.map { $0.cursor.offset } == [8]
    )
  }

  func positionsAreExact() async throws {
    let channel = ChannelName("verify:a")!
    let start = try #require(try await near.attach(channel))
    for number in 1...3 { _ = try await far.publish(channel, "\(number)") }
    let last = try #require(try await near.read(channel, .newest).messages.last)
    let mark = MessageMark(cursor: last.cursor, time: last.time)
    let same = try await near.ask { port, done in port.verify([(channel, mark), (channel, nil)], done) }
    let expected = LogPosition(epoch: start.epoch, tail: 3, oldest: 1)
    #expect(same == [expected, expected])
  }

  func aNewEpochKeepsWhatIsHeld() async throws {
    let channel = ChannelName("short:epoch")!
    for number in 1...7 { _ = try await near.publish(channel, "\(number)") }
    let before = try #require(try await near.read(channel, .newest).position)
    let after = try await near.ask { port, done in port.renewEpoch(of: channel, ifStill: before.epoch, done) }
    #expect(after.epoch != before.epoch)
    #expect(after.tail == 5 && after.oldest == 1)
    let again = try await far.ask { port, done in port.renewEpoch(of: channel, ifStill: before.epoch, done) }
    #expect(again == after)
    let page = try await far.read(channel, .since(.start))
    #expect(page.messages.map { String(buffer: $0.data) } == ["3", "4", "5", "6", "7"])
    #expect(page.messages.map { $0.cursor } == (1...5).map { Cursor(after.epoch, $0) })
    #expect(try await near.publish(channel, "8").cursor == Cursor(after.epoch, 6))
  }

  func latestHoldsOneAndEphemeralNone() async throws {
    let latest = ChannelName("latest:a")!
    for number in 1...3 { _ = try await near.publish(latest, "\(number)") }
    #expect(try await far.read(latest, .since(.start)).messages.map { String(buffer: $0.data) } == ["3"])
    let ephemeral = ChannelName("ephemeral:a")!
    #expect(try await far.attach(ephemeral) == nil)
    #expect(try await near.publish(ephemeral, "1").cursor == nil)
    try await far.wait { $0.items.contains { $0.0 == ephemeral } }
    #expect(try await far.items(ephemeral) == ["~1"])
    #expect(try await far.read(ephemeral, .newest) == LogPage(position: nil, messages: []))
  }

  func detachedHearsNothing() async throws {
    let channel = ChannelName("detach:a")!
    let other = ChannelName("detach:b")!
    _ = try await near.attach(channel)
    _ = try await near.attach(other)
    try await near.detach(channel)
    _ = try await far.publish(channel, "1")
    _ = try await far.publish(other, "1")
    try await near.wait { $0.items.contains { $0.0 == other } }
    #expect(try await near.items(channel) == [])
    #expect(try await near.attach(channel)?.tail == 1)
    _ = try await far.publish(channel, "2")
    try await near.wait { $0.items.contains { $0.0 == channel } }
    #expect(try await near.items(channel) == ["2:2"])
  }

  func presenceCountsHolders() async throws {
    let channel = ChannelName("presence:a")!
    _ = try await far.attach(channel)
    let ada = Member(id: "m1", user: "ada", info: ByteBuffer(string: #"{"color":"red"}"#), since: 5)
    let ada2 = Member(id: "m2", user: "ada", since: 6)
    let guest = Member(id: "m3", since: 7)
    try await near.join(channel, ada, holder: 1)
    try await near.join(channel, ada, holder: 1)
    try await far.join(channel, ada, holder: 2)
    try await near.join(channel, ada2, holder: 3)
    try await near.join(channel, guest, holder: 4)
    let page = try await far.members(channel)
    #expect(page == PresencePage(members: [ada, ada2, guest], count: 3, users: 1, next: nil))
    let first = try await near.members(channel, limit: 2)
    #expect(first.members == [ada, ada2] && first.next != nil && first.count == 3)
    #expect(try await near.members(channel, limit: 2, after: first.next).members == [guest])
    try await near.leave(channel, "m1", holder: 1)
    try await near.leave(channel, "m2", holder: 3)
    try await near.leave(channel, "m2", holder: 3)
    #expect(try await far.members(channel).count == 2)
    #expect(try await far.members(channel).users == 1)
    try await far.leave(channel, "m1", holder: 2)
    try await near.leave(channel, "m3", holder: 4)
    #expect(try await near.members(channel) == PresencePage(members: [], count: 0, users: 0, next: nil))
    try await far.wait { $0.items.count { $0.0 == channel } >= 6 }
    #expect(try await far.items(channel) == ["+m1", "+m2", "+m3", "-m2", "-m1", "-m3"])
  }
}
