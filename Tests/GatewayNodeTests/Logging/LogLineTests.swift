import Logging
import NIOConcurrencyHelpers
import NIOCore
import Testing
import Wire

@testable import GatewayNode

@Suite struct LogLineTests {
  private func lines(_ format: LogFormat, _ body: (Logger) -> Void) -> [String] {
    let written = NIOLockedValueBox<[String]>([])
    let logger = Logger(label: "sluice") { label in
      LineLogHandler(label: label, format: format, logLevel: .info) { bytes in
        written.withLockedValue { $0.append(String(buffer: bytes)) }
      }
    }
    body(logger)
    return written.withLockedValue { $0 }
  }

  @Test func timesAreRFC3339() {
    #expect(LogTime.text(seconds: 0, milliseconds: 7) == "1970-01-01T00:00:00.007Z")
    #expect(LogTime.text(seconds: 1_790_000_000, milliseconds: 123) == "2026-09-21T14:13:20.123Z")
  }

  @Test func humanLinesAreOneLineEach() throws {
    let lines = lines(.human) { logger in
      logger.warning("two\nlines", metadata: ["b": "x y", "a": "1", "c": "", "d": "q\"\n"])
    }
    let line = try #require(lines.first)
    #expect(line.hasSuffix(#" WARNING  two\u{a}lines  a=1 b="x y" c="" d="q\"\n""# + "\n"))
    #expect(line.count { $0 == "\n" } == 1)
  }

  /// What a client sent may stand anywhere in a line.
  @Test func humanLinesCommandNoTerminal() throws {
    let lines = lines(.human) { logger in
      logger.warning(
        "a\u{9b}2J\u{2028}b",
        metadata: [
          "k\u{85}": "1", "l": "x\u{9b}31m", "m": "\u{7f}\u{2029}", "n": "ü\u{a0}€", "o": "\u{1b}[m",
        ]
      )
    }
    let line = try #require(lines.first)
    #expect(
      line.hasSuffix(
        #" WARNING  a\u{9b}2J\u{2028}b  k\u{85}=1 l="x\u009b31m" m="\u007f\u2029" "#
          + "n=ü\u{a0}€ " + #"o="\u001b[m""# + "\n"
      )
    )
  }

  @Test func jsonLinesAreObjects() throws {
    let lines = lines(.json) { logger in
      var logger = logger
      logger[metadataKey: "node"] = "gateway-1"
      logger.error(
        "no\nway",
        metadata: [
          "count": .stringConvertible(3), "ok": .stringConvertible(true), "list": ["a", "b"],
          "map": ["k\"": "v"], "level": "mine", "kind": .stringConvertible(LogFormat.human.rawValue),
        ]
      )
    }
    let object = try JSONObject(ByteBuffer(string: String(try #require(lines.first).dropLast())))
    #expect(object["level"]?.string == "error")
    #expect(object["logger"]?.string == "sluice")
    #expect(object["message"]?.string == "no\nway")
    #expect(object["node"]?.string == "gateway-1")
    #expect(object["count"]?.integer == 3)
    #expect(object["ok"]?.bool == true)
    #expect(object["kind"]?.string == "human")
    #expect(object["list"]?.elements?.compactMap(\.string) == ["a", "b"])
    #expect(object["time"]?.string?.hasSuffix("Z") == true)
  }

  @Test func levelsBelowAreLeftOut() {
    #expect(lines(.human) { $0.debug("no") }.isEmpty)
    #expect(lines(.json) { $0.info("yes") }.count == 1)
  }
}
