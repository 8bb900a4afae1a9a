import Testing
import Wire

@Suite struct ChannelNameTests {
  @Test(arguments: [
    "a", "A", "0", "_", ".", ":", "-", "room:lobby", "a.b_c-D:9", String(repeating: "x", count: 128),
  ])
  func acceptsItsAlphabet(_ text: String) throws {
    let channel = try #require(ChannelName(text))
    #expect(channel.text == text)
    #expect(channel.description == text)
  }

  @Test(arguments: [
    "", " ", "a b", "a,b", "a@b", "a/b", "raum:ü", "a\n", "a\u{0}", "{a}", "a%20",
    String(repeating: "x", count: 129),
  ])
  func refusesEverythingElse(_ text: String) {
    #expect(ChannelName(text) == nil)
  }

  @Test(arguments: [("room:lobby", "room"), ("room:a:b", "room"), ("lobby", "lobby"), (":a", "")])
  func namespaceEndsAtTheFirstColon(_ text: String, _ namespace: String) throws {
    #expect(try #require(ChannelName(text)).namespace == namespace)
  }

  @Test func ordersBytewise() throws {
    let names = try ["b", "a", "B", "a.b", "a:b", "a-b", "aa", "_", "0"].map { try #require(ChannelName($0)) }
    #expect(names.sorted().map(\.text) == ["0", "B", "_", "a", "a-b", "a.b", "a:b", "aa", "b"])
  }

  @Test func everyNamespaceHasTheFallbackOptionsUnlessNamed() throws {
    var latest = NamespaceOptions()
    latest.delivery = .latest
    let namespaces = Namespaces(named: ["price": latest])
    #expect(namespaces[try #require(ChannelName("price:eur"))].held == 1)
    #expect(namespaces[try #require(ChannelName("room:eur"))].held == 1_000)
    #expect(namespaces[try #require(ChannelName("price"))].delivery == .latest)
  }
}
