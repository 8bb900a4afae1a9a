import NIOCore
import Testing
import Wire

@Suite struct CursorSetTests {
  private func channel(_ text: String) throws -> ChannelName { try #require(ChannelName(text)) }
  private func cursor(_ text: String) throws -> Cursor { try #require(Cursor(text)) }

  @Test func readsAnyOrderAndWritesTheCanonicalOne() throws {
    let set = try #require(CursorSet("b@aaaaaaaa.2,a:x@bbbbbbbb.1,a@cccccccc.0"))
    #expect(set.description == "a@cccccccc.0,a:x@bbbbbbbb.1,b@aaaaaaaa.2")
    #expect(set[try channel("a:x")] == (try cursor("bbbbbbbb.1")))
    #expect(set[try channel("c")] == nil)
    #expect(set == CursorSet("a@cccccccc.0,a:x@bbbbbbbb.1,b@aaaaaaaa.2"))
  }

  @Test(arguments: [
    "", ",", "a", "a@", "@aaaaaaaa.1", "a@aaaaaaaa", "a@aaaaaaaa.1,", ",a@aaaaaaaa.1",
    "a@aaaaaaaa.1,,b@aaaaaaaa.1",
    "a@aaaaaaaa.1,a@aaaaaaaa.2", "a@aaaaaaaa.1 ,b@aaaaaaaa.1", "a@b@aaaaaaaa.1", "ä@aaaaaaaa.1",
  ])
  func refusesWhatIsMalformed(_ text: String) {
    #expect(CursorSet(text) == nil)
    #expect(SinceSet(text) == nil)
  }

  @Test func refusesMoreThanAThousandNames() throws {
    let thousand = (0..<1_000).map { "c\($0)@aaaaaaaa.\($0)" }
    let set = try #require(CursorSet(thousand.joined(separator: ",")))
    #expect(set.positions.count == 1_000)
    #expect(CursorSet((thousand + ["d@aaaaaaaa.1"]).joined(separator: ",")) == nil)
  }

  @Test func takesAndLosesPositions() throws {
    var set = CursorSet()
    #expect(set.isEmpty)
    for name in ["m", "z", "a", "q"] { set[try channel(name)] = try cursor("aaaaaaaa.1") }
    set[try channel("m")] = try cursor("aaaaaaaa.9")
    set[try channel("z")] = nil
    set[try channel("nobody")] = nil
    #expect(set.description == "a@aaaaaaaa.1,m@aaaaaaaa.9,q@aaaaaaaa.1")
    var buffer = ByteBuffer()
    buffer.writePosition(try channel("m"), try cursor("aaaaaaaa.9"))
    #expect(String(buffer: buffer) == "m@aaaaaaaa.9")
  }

  @Test func equalSetsHashAlike() throws {
    let one = try #require(CursorSet("a@aaaaaaaa.1,b@aaaaaaaa.2"))
    let two = try #require(CursorSet("b@aaaaaaaa.2,a@aaaaaaaa.1"))
    #expect(Set([one, two]).count == 1)
    #expect(one != CursorSet("a@aaaaaaaa.1"))
  }

  @Test func sinceOfSeveralChannels() throws {
    let start = try #require(SinceSet("start"))
    #expect(start.since(try channel("a")) == .start)
    #expect(start.description == "start")
    let some = try #require(SinceSet("a@aaaaaaaa.1"))
    #expect(some.since(try channel("a")) == .cursor(try cursor("aaaaaaaa.1")))
    #expect(some.since(try channel("b")) == nil)
    #expect(some.description == "a@aaaaaaaa.1")
  }
}
