import LoadTesting
import SluiceClient
import Testing

@Suite struct LoadWordsTests {
  @Test func transportsAreDealtExactlyByShare() throws {
    let shares = try #require(TransportShares("websocket=60,sse=30,long-poll=10"))
    #expect(shares.description == "websocket=60,sse=30,long-poll=10")
    var random = SeededRandom(1)
    let dealt = shares.dealt(to: 1_000, using: &random)
    #expect(dealt.count { $0 == .webSocket } == 600)
    #expect(dealt.count { $0 == .eventStream } == 300)
    #expect(dealt.count { $0 == .longPoll } == 100)
    #expect(dealt.prefix(100).contains(.longPoll), "they are not mixed")
    var again = SeededRandom(1)
    #expect(shares.dealt(to: 1_000, using: &again) == dealt, "the same seed, another deal")
  }

  @Test func aNameAloneIsAllOfThem() throws {
    var random = SeededRandom(1)
    let dealt = try #require(TransportShares("event-source")).dealt(to: 7, using: &random)
    #expect(dealt == Array(repeating: .nativeEventSource, count: 7))
    #expect(
      try #require(TransportShares("sse,short-poll")).dealt(to: 4, using: &random).count { $0 == .shortPoll }
        == 2
    )
  }

  @Test(arguments: ["", "sse=", "carrier-pigeon", "sse=1,sse=2", "sse=-1", "websocket=0", "sse=x", "sse,"])
  func whatIsNoTransportIsRefused(_ text: String) {
    #expect(TransportShares(text) == nil)
  }

  @Test func addressesComeFromRangesAndLists() {
    #expect(
      SourceAddresses("127.0.0.2-127.0.0.4,127.1.0.0")?.addresses
        == ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.1.0.0"]
    )
    #expect(SourceAddresses("127.0.0.255-127.0.1.1")?.addresses == ["127.0.0.255", "127.0.1.0", "127.0.1.1"])
    for text in [
      "", "127.0.0.4-127.0.0.2", "127.0.0", "127.0.0.1-127.0.0.2-127.0.0.3", "a.b.c.d",
      "127.0.0.256", "1.0.0.0-9.0.0.0",
    ] {
      #expect(SourceAddresses(text) == nil, "\(text)")
    }
  }

  @Test func slowSharesAndShares() {
    #expect(SlowShare("10%@2KB/s") == SlowShare(share: 0.1, bytesPerSecond: 2_000))
    #expect(SlowShare("0.5@100B/s") == SlowShare(share: 0.5, bytesPerSecond: 100))
    #expect(SlowShare("10%@2KB/s")?.description == "10%@2KB/s")
    for text in ["10%", "10%@2", "110%@2KB/s", "@2KB/s", "10%@0B/s", "10%@-1KB/s"] {
      #expect(SlowShare(text) == nil, "\(text)")
    }
    #expect(Share("2%")?.value == 0.02)
    #expect(Share("1.5%")?.description == "1.5%")
    #expect(Share("101%") == nil && Share("-1%") == nil && Share("x") == nil)
  }

  @Test func evenSpreadsFillEveryChannel() {
    #expect(SubscriberSpread.even.dealt(clients: 5, channels: 2) == [[0], [1], [0], [1], [0]])
    #expect(SubscriberSpread.even.dealt(clients: 2, channels: 5) == [[0, 2, 4], [1, 3]])
  }

  @Test func fixedSpreadsGiveEachChannelAsMany() {
    let dealt = SubscriberSpread.fixed(5).dealt(clients: 100, channels: 60)
    #expect(dealt.count == 100)
    for channel in 0..<60 { #expect(dealt.count { $0.contains(channel) } == 5) }
    #expect(dealt.allSatisfy { Set($0).count == $0.count }, "somebody has a channel twice")
    #expect(dealt.map(\.count).max() == 3)
  }

  @Test(arguments: [SubscriberSpread.even, .fixed(1), .fixed(5), .fixed(40), .zipf(1)])
  func theMostThatAClientGetsIsKnownBeforeItIsDealt(_ spread: SubscriberSpread) {
    for (clients, channels) in [(1, 1), (1, 9), (7, 3), (7, 7), (7, 60), (100, 60), (40, 400)] {
      #expect(
        spread.mostChannels(clients: clients, channels: channels)
          == spread.dealt(clients: clients, channels: channels).map(\.count).max(),
        "\(clients) clients, \(channels) channels"
      )
    }
  }

  @Test func zipfGivesTheFirstTheMost() throws {
    let spread = try #require(SubscriberSpread("zipf:1"))
    let dealt = spread.dealt(clients: 1_100, channels: 4)
    // 1 + 1/2 + 1/3 + 1/4 = 25/12
    #expect(dealt.count == 1_100 && dealt.allSatisfy { $0.count == 1 })
    #expect((0..<4).map { channel in dealt.count { $0 == [channel] } } == [528, 264, 176, 132])
    #expect(SubscriberSpread("even") == .even && SubscriberSpread("12") == .fixed(12))
    for text in ["", "0", "-3", "zipf:", "zipf:x", "zipf:-1", "zipf"] {
      #expect(SubscriberSpread(text) == nil, "\(text)")
    }
  }
}
