import NIOCore
import Testing
import Wire

@Suite struct CursorTests {
  @Test(arguments: [
    ("k3f9x2ab.0", 0), ("k3f9x2ab.1", 1), ("zzzzzzzz.1042", 1042), ("00000000.9007199254740992", 1 << 53),
  ])
  func readsAndWrites(_ text: String, _ offset: UInt64) throws {
    let cursor = try #require(Cursor(text))
    #expect(cursor.offset == offset)
    #expect(cursor.epoch.description == String(text.prefix(8)))
    #expect(cursor.description == text)
    var buffer = ByteBuffer()
    buffer.writeCursor(cursor)
    #expect(String(buffer: buffer) == text)
  }

  @Test(arguments: [
    "", ".", "k3f9x2ab", "k3f9x2ab.", ".1", "k3f9x2a.1", "k3f9x2abc.1", "K3F9X2AB.1", "k3f9x2ab.01",
    "k3f9x2ab.-1",
    "k3f9x2ab.+1", "k3f9x2ab.1 ", " k3f9x2ab.1", "k3f9x2ab.1.2", "k3f9x2ab,1", "k3f9x2ab.9007199254740993",
    "k3f9x2ab.99999999999999999999", "k3f9x2äb.1", "k3f9x2ab.1\u{0}", "start",
  ])
  func refusesWhatIsNotCanonical(_ text: String) {
    #expect(Cursor(text) == nil)
  }

  @Test func epochsAreEightOfTheirAlphabetAndDiffer() throws {
    let epochs = (0..<200).map { _ in Epoch.random() }
    #expect(Set(epochs).count == epochs.count)
    for epoch in epochs {
      #expect(Epoch(epoch.description) == epoch)
    }
    #expect(Epoch("abcdefg") == nil)
    #expect(Epoch("abcdefgH") == nil)
    #expect(Epoch("abcdefghi") == nil)
  }

  @Test func sinceIsACursorOrStart() throws {
    #expect(Since("start") == .start)
    #expect(Since("k3f9x2ab.7") == .cursor(try #require(Cursor("k3f9x2ab.7"))))
    #expect(Since("START") == nil)
    #expect(Since("") == nil)
    #expect(Since.start.description == "start")
    #expect(Since("k3f9x2ab.7")?.description == "k3f9x2ab.7")
  }
}
