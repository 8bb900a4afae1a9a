internal import Logging
internal import NIOCore
private import Wire

/// One log event, ready to be written.
struct LogLine {
  /// As RFC 3339 has it, in UTC.
  var time: String
  var level: Logger.Level
  var label: String
  var message: String
  /// In the order in which it is written.
  var metadata: [(key: String, value: Logger.Metadata.Value)]

  /// `time LEVEL message  key=value …`; values that could be misread stand in quotes.
  func writeHuman(to bytes: inout ByteBuffer) {
    let level = level.rawValue.uppercased()
    bytes.writeString("\(time) \(level)\(String(repeating: " ", count: max(0, 8 - level.count))) ")
    bytes.writeString(LogLine.inOneLine(message))
    for (index, field) in metadata.enumerated() {
      bytes.writeString("\(index == 0 ? "  " : " ")\(LogLine.inOneLine(field.key))=")
      let text = "\(field.value)"
      let isPlain =
        !text.isEmpty && text.unicodeScalars.allSatisfy { $0 != " " && $0 != "\"" && !$0.isControl }
      bytes.writeString(isPlain ? text : LogLine.quoted(text))
    }
  }

  private static func quoted(_ text: String) -> String {
    var json = ByteBuffer()
    json.writeJSONString(text)
    return String(buffer: json).withControlsEscaped
  }

  /// One JSON object: `time`, `level`, `logger`, `message`, then the metadata under their own names.
  func writeJSON(to bytes: inout ByteBuffer) {
    bytes.openObject()
    bytes.writeMember("time", time)
    bytes.writeMember("level", level.rawValue)
    bytes.writeMember("logger", label)
    bytes.writeMember("message", message)
    for field in metadata where !LogLine.fixedKeys.contains(field.key) {
      bytes.writeInteger(UInt8(ascii: ","))
      bytes.writeJSONString(field.key)
      bytes.writeInteger(UInt8(ascii: ":"))
      LogLine.write(field.value, to: &bytes)
    }
    bytes.closeObject()
  }

  private static let fixedKeys: Set<String> = ["time", "level", "logger", "message"]

  private static func write(_ value: Logger.Metadata.Value, to bytes: inout ByteBuffer) {
    switch value {
    case .string(let text): bytes.writeJSONString(text)
    case .stringConvertible(let number as any FixedWidthInteger): bytes.writeString(number.description)
    case .stringConvertible(let truth as Bool): bytes.writeString(truth.description)
    case .stringConvertible(let value): bytes.writeJSONString(value.description)
    case .array(let values): bytes.writeArray(of: values) { write($1, to: &$0) }
    case .dictionary(let values):
      bytes.openObject()
      for (index, field) in values.sorted(by: { $0.key < $1.key }).enumerated() {
        if index > 0 { bytes.writeInteger(UInt8(ascii: ",")) }
        bytes.writeJSONString(field.key)
        bytes.writeInteger(UInt8(ascii: ":"))
        write(field.value, to: &bytes)
      }
      bytes.closeObject()
    }
  }

  /// What a client sent may stand in a message: it must not begin a line of its own, nor command a terminal.
  private static func inOneLine(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: \.isControl) else { return text }
    return text.unicodeScalars.reduce(into: "") { line, scalar in
      if scalar.isControl {
        line += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        line.unicodeScalars.append(scalar)
      }
    }
  }
}
