import NIOCore
import Testing
import Wire

/// Texts that are shown on a terminal.
@Suite struct JSONControlsTests {
  @Test(arguments: [
    ("a\u{9b}31m", #"a\u009b31m"#), ("\u{1b}]0;x\u{7}", #"\u001b]0;x\u0007"#),
    ("\u{7f}\u{80}\u{9f}", #"\u007f\u0080\u009f"#), ("a\u{2028}b\u{2029}", #"a\u2028b\u2029"#),
    ("a\r\nb", #"a\u000d\u000ab"#), ("e\u{9b}\u{301}", "e\\u009b\u{301}"),
  ])
  func whatCommandsATerminalIsEscaped(_ text: String, _ shown: String) {
    #expect(text.withControlsEscaped == shown)
  }

  @Test(arguments: ["", "plain", "{\"a\":\t1}", "\u{a0}ü😀\u{2027}\u{202a}\u{301}", #"\u009b"#])
  func nothingElseIs(_ text: String) {
    #expect(text.withControlsEscaped == text)
  }

  /// A JSON text means the same.
  @Test func aJSONTextMeansWhatItMeant() throws {
    let text = "a\u{9b}b\u{7f}\u{2028}\u{1b}\n\t\"\\"
    var json = ByteBuffer()
    json.openObject()
    json.writeMember("text", text)
    json.closeObject()
    let shown = String(buffer: json).withControlsEscaped
    #expect(!shown.unicodeScalars.contains { $0.isControl })
    #expect(try JSONObject(ByteBuffer(string: shown))["text"]?.string == text)
  }
}
