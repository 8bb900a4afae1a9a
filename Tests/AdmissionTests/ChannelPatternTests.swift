import Admission
import Testing
import Wire

struct ChannelPatternTests {
  @Test(arguments: [
    ("room:lobby", "room:lobby", true),
    ("room:lobby", "room:lobby2", false),
    ("room:*", "room:lobby", true),
    ("room:*", "rooms:lobby", false),
    ("*", "anything", true),
    ("*:public", "news:public", true),
    ("*:public", "news:publics", false),
    ("a*b*c", "abc", true),
    ("a*b*c", "aXbYbZc", true),
    ("a*b*c", "acb", false),
    ("ab*ba", "aba", false),
    ("a**c", "ac", true),
  ])
  func aPatternMatchesWholeNames(pattern: String, name: String, matches: Bool) throws {
    let channel = try #require(ChannelName(name))
    #expect(try #require(ChannelPattern(pattern)).matches(channel) == matches)
  }

  @Test(arguments: ["", "room lobby", "raum/1", "ü*", String(repeating: "a", count: 129)])
  func whatCanBeNoNameIsNoPattern(text: String) {
    #expect(ChannelPattern(text) == nil)
  }
}
