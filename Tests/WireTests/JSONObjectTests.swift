import NIOCore
import Testing
import Wire

@Suite struct JSONObjectTests {
  private func object(_ text: String) throws -> JSONObject { try JSONObject(ByteBuffer(string: text)) }

  @Test func readsEachKindOfValue() throws {
    let object = try object(#"{"s":"x","n":-12,"f":1.5,"t":true,"u":false,"z":null,"a":[1,"b"],"o":{"p":2}}"#)
    #expect(object["s"]?.string == "x")
    #expect(object["n"]?.integer == -12)
    #expect(object["f"]?.integer == nil)
    #expect(object["t"]?.bool == true)
    #expect(object["u"]?.bool == false)
    #expect(object["z"]?.isNull == true)
    #expect(object["z"]?.bool == nil)
    #expect(object["a"]?.elements?.map { String(buffer: $0.bytes) } == ["1", #""b""#])
    #expect(object["o"]?.object?["p"]?.integer == 2)
    #expect(object["missing"] == nil)
    #expect(object["s"]?.integer == nil)
    #expect(object["n"]?.string == nil)
  }

  @Test func theLastOfEqualNamesCounts() throws {
    #expect(try object(#"{"a":1,"b":0,"a":2}"#)["a"]?.integer == 2)
  }

  @Test func namesWhatNobodyKnows() throws {
    let object = try object(#"{"a":1,"\u0062":2,"\u0063":3,"d":4}"#)
    #expect(object.name(besides: "a", "b") == "c")
    #expect(object.name(besides: "d", "c", "b", "a") == nil)
    #expect(try self.object("{}").name(besides: "a") == nil)
  }

  @Test(arguments: [
    (#""plain""#, "plain"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), (#""\u00fc\u20AC""#, "ü€"),
    (#""\ud83d\ude00""#, "😀"), (#""a\ud83db""#, "a\u{FFFD}b"), (#""""#, ""),
    (#""\ud83d\u0041\ude00""#, "\u{FFFD}A\u{FFFD}"), (#""\ud83d\n""#, "\u{FFFD}\n"),
    (#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"),
    // To Unicode a backslash after U+0600 is a part of that character.
    ("\"\u{600}\\n\"", "\u{600}\n"),
    ("\"\u{600}\\\\uZZZZ\"", "\u{600}\\uZZZZ"), ("\"\u{600}\\\\\"", "\u{600}\\"),
    ("\"a\u{600}\\u0041\u{301}\"", "a\u{600}A\u{301}"),
  ])
  func resolvesEscapes(_ json: String, _ expected: String) throws {
    #expect(try object("{\"a\":\(json)}")["a"]?.string == expected)
  }

  @Test func everyUnitMayBeEscaped() throws {
    for unit in stride(from: UInt32(0), to: 0x10000, by: 7) {
      guard let scalar = Unicode.Scalar(unit) else { continue }
      let digits = String(repeating: "0", count: 4 - String(unit, radix: 16).count) + String(unit, radix: 16)
      for digits in [digits, digits.uppercased()] {
        #expect(try object("{\"a\":\"\\u\(digits)\"}")["a"]?.string == String(scalar), "\(digits)")
      }
    }
  }

  @Test func namesMayBeEscaped() throws {
    #expect(try object(#"{"\u0074\u0079\u0070\u0065":1}"#)["type"]?.integer == 1)
    #expect(try object(#"{"\u0074\u0079\u0070\u0065a":1,"\u006A":2,"\u006aa":3}"#)["type"] == nil)
    #expect(try object(#"{"\u006A":2,"\u006aa":3}"#)["j"]?.integer == 2)
    #expect(try object(#"{"\u0061b":1}"#)["ab"]?.integer == 1)
    #expect(try object(#"{"a\u0062":1,"abc":2,"\u0061":3,"\u0061\u0062\n":4}"#)["ab"]?.integer == 1)
    #expect(try object("{\"\u{600}aaaaaaaa\u{600}\\\\\":1,\"type\":2}")["type"]?.integer == 2)
    #expect(try object(#"{"\u0161b":1}"#)["ab"] == nil)
  }

  @Test func numbersThatDoNotFitAreNone() throws {
    #expect(try object(#"{"a":9223372036854775807}"#)["a"]?.integer == .max)
    #expect(try object(#"{"a":9223372036854775808}"#)["a"]?.integer == nil)
    #expect(try object(#"{"a":5.0}"#)["a"]?.integer == 5)
    #expect(try object(#"{"a":-2e3}"#)["a"]?.integer == -2_000)
    #expect(try object(#"{"a":1e300}"#)["a"]?.integer == nil)
  }

  @Test func readsFromTheMiddleOfABuffer() throws {
    var buffer = ByteBuffer(string: #"xx{"a":"b"}yy"#)
    buffer.moveReaderIndex(forwardBy: 2)
    buffer.moveWriterIndex(to: buffer.writerIndex - 2)
    #expect(try JSONObject(buffer)["a"]?.string == "b")
  }

  @Test func writesWhatItReads() throws {
    var buffer = ByteBuffer()
    buffer.openObject()
    buffer.writeMember("text", "a\"b\\c\n\r\t\u{1}ü")
    buffer.writeMember("number", Int64.min)
    buffer.writeMember("big", UInt64.max)
    buffer.writeMember("zero", 0)
    buffer.writeMember("truth", true)
    buffer.writeMember("json", ByteBuffer(string: "[1,{}]"))
    buffer.writeMember("list", arrayOf: [1, 2, 3]) { $0.writeDecimal($1) }
    buffer.writeMember("none", arrayOf: [Int]()) { $0.writeDecimal($1) }
    buffer.writeMember("object") {
      $0.openObject()
      $0.closeObject()
    }
    buffer.closeObject()
    #expect(
      String(buffer: buffer) == #"{"text":"a\"b\\c\n\r\t\u0001ü","number":-9223372036854775808,"#
        + #""big":18446744073709551615,"zero":0,"truth":true,"json":[1,{}],"list":[1,2,3],"none":[],"object":{}}"#
    )
    #expect(try JSONObject(buffer)["text"]?.string == "a\"b\\c\n\r\t\u{1}ü")
  }

  @Test func lineBreaksBecomeSpaces() {
    var buffer = ByteBuffer(string: "{\r\n\"a\":\n1}")
    buffer.replaceLineBreaks()
    #expect(String(buffer: buffer) == "{  \"a\": 1}")
  }
}
