import NIOCore
import Testing
import Wire

@Suite struct JSONScannerTests {
  private func problem(_ bytes: [UInt8]) -> JSONError? {
    do throws(JSONError) {
      try JSONScanner.validate(ByteBuffer(bytes: bytes))
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: [
    "0", "-0", "1", "-12", "1.5", "-0.25", "1e3", "1E+3", "12.5e-07", "true", "false", "null", "\"\"",
    "\"a\"",
    "\"ü€😀\"", #""\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00""#, "[]", "{}", "[1,2]", #"{"a":1}"#,
    #"{"a":{"b":[{},[]]},"c":""}"#,
    " \t\r\n[ 1 , { \"a\" : null } ] \n", #"{"a":1,"a":2}"#, #""\ud800""#,
  ])
  func accepts(_ text: String) {
    #expect(problem(Array(text.utf8)) == nil)
  }

  @Test(
    arguments: [
      ("", JSONError.Reason.unexpectedEnd), (" ", .unexpectedEnd), ("[", .unexpectedEnd),
      ("{", .unexpectedEnd),
      ("[1", .unexpectedEnd), ("[1,", .unexpectedEnd), ("{\"a\"", .unexpectedEnd),
      ("{\"a\":", .unexpectedEnd),
      ("\"a", .unexpectedEnd), ("tru", .unexpectedEnd), ("\"\\", .unexpectedEnd), ("\"\\u12", .unexpectedEnd),
      ("[1,]", .unexpectedByte), ("[,1]", .unexpectedByte), ("{,}", .unexpectedByte),
      ("{\"a\":1,}", .unexpectedByte),
      ("{\"a\" 1}", .unexpectedByte), ("{a:1}", .unexpectedByte), ("{1:1}", .unexpectedByte),
      ("[1}", .unexpectedByte),
      ("{\"a\":1]", .unexpectedByte), ("'a'", .unexpectedByte), ("nul1", .unexpectedByte),
      ("True", .unexpectedByte),
      ("NaN", .unexpectedByte), ("+1", .unexpectedByte), (".5", .unexpectedByte), ("]", .unexpectedByte),
      ("-", .badNumber), ("1.", .badNumber), ("1e", .badNumber), ("1e+", .badNumber), ("-a", .badNumber),
      ("\"\n\"", .badString), ("\"\u{1}\"", .badString), ("\"\\x\"", .badString), ("\"\\u12g4\"", .badString),
      ("1 2", .trailingBytes), ("{} {}", .trailingBytes), ("[]]", .trailingBytes), ("01", .trailingBytes),
      ("\u{feff}1", .unexpectedByte),
    ]
  )
  func refuses(_ text: String, _ reason: JSONError.Reason) {
    #expect(problem(Array(text.utf8))?.reason == reason)
  }

  @Test(arguments: [
    [0x80], [0xc3], [0xc0, 0xaf], [0xe0, 0x80, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff],
    [0xf0, 0x9f, 0x98],
  ])
  func refusesStringsThatAreNotUTF8(_ bytes: [UInt8]) {
    #expect(problem([0x22] + bytes + [0x22])?.reason == .badString)
    #expect(problem(Array("{\"a\":[\"b".utf8) + bytes + Array("\"]}".utf8))?.reason == .badString)
  }

  @Test func nestsSixtyFourDeepAndNoDeeper() {
    func nested(_ depth: Int) -> [UInt8] {
      Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
    }
    #expect(problem(nested(64)) == nil)
    #expect(problem(nested(65))?.reason == .tooDeep)
    #expect(problem([UInt8](repeating: UInt8(ascii: "["), count: 1_000_000))?.reason == .tooDeep)
    let objects = String(repeating: #"{"a":"#, count: 65) + "1" + String(repeating: "}", count: 65)
    #expect(problem(Array(objects.utf8))?.reason == .tooDeep)
  }

  @Test func saysWhere() {
    #expect(problem(Array("[1,x]".utf8))?.offset == 3)
    #expect(problem(Array("[1] 2".utf8))?.offset == 4)
    #expect(problem(Array("[1,x]".utf8))?.description == "an unexpected byte at byte 3")
  }

  @Test func everyPrefixOfAValueIsRefused() {
    let text = Array(#"{"a":[1.5e3,true,null,"x\u00e9\n"],"b":{"c":-7}}"#.utf8)
    #expect(problem(text) == nil)
    for end in 0..<text.count { #expect(problem(Array(text[..<end])) != nil, "prefix of \(end) bytes") }
  }

  @Test func yieldsSlicesOfMembersAndElements() throws {
    let text = ByteBuffer(string: #" {"a" : [1, 2] , "b":"x" } "#)
    let members = try JSONScanner.members(of: text)
    #expect(members.map { JSONField(text, $0.key).string } == ["a", "b"])
    #expect(members.map { JSONField(text, $0.value).kind } == [.array, .string])
    #expect(String(buffer: JSONField(text, members[0].value).bytes) == "[1, 2]")
    let array = ByteBuffer(string: #"[ {"a":1} ,true, "]" ]"#)
    let elements = try JSONScanner.elements(of: array)
    #expect(elements.map { String(buffer: JSONField(array, $0).bytes) } == [#"{"a":1}"#, "true", #""]""#])
    #expect(throws: JSONError.self) { try JSONScanner.members(of: array) }
    #expect(throws: JSONError.self) { try JSONScanner.elements(of: text) }
  }
}
