/// Inputs as a text that can be read and compared: one in each line, what is not printable ASCII as `\n`, `\r`, `\t`
/// or `\xNN`, and a backslash as two.
struct Corpus: Equatable {
  struct Malformed: Error, CustomStringConvertible {
    let line: Int

    var description: String {
      "line \(line) is no input: expected printable ASCII, \\n, \\r, \\t, \\\\ or \\xNN"
    }
  }

  var inputs: [[UInt8]]

  init(inputs: [[UInt8]]) {
    self.inputs = inputs
  }

  init(_ text: String) throws(Malformed) {
    inputs = []
    for (index, line) in text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
      // The empty input is tried anyway, so an empty line is none.
      if line.isEmpty { continue }
      guard let input = Corpus.read(line) else { throw Malformed(line: index + 1) }
      inputs.append(input)
    }
  }

  /// Shorter inputs first, so that a look at the top shows what they are about.
  var text: String {
    let sorted = Set(inputs).sorted { ($0.count, Corpus.line($0)) < ($1.count, Corpus.line($1)) }
    return sorted.filter { !$0.isEmpty }.map { Corpus.line($0) + "\n" }.joined()
  }

  static func line(_ input: some Sequence<UInt8>) -> String {
    var line = ""
    for byte in input {
      switch byte {
      case UInt8(ascii: "\\"): line += "\\\\"
      case 0x0a: line += "\\n"
      case 0x0d: line += "\\r"
      case 0x09: line += "\\t"
      case 0x20..<0x7f: line.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 16)
        line += digits.utf8.count == 1 ? "\\x0\(digits)" : "\\x\(digits)"
      }
    }
    return line
  }

  private static func read(_ line: Substring.UTF8View.SubSequence) -> [UInt8]? {
    var input: [UInt8] = []
    var rest = line.makeIterator()
    while let byte = rest.next() {
      guard byte == UInt8(ascii: "\\") else {
        guard (0x20..<0x7f).contains(byte) else { return nil }
        input.append(byte)
        continue
      }
      switch rest.next() {
      case UInt8(ascii: "\\"): input.append(UInt8(ascii: "\\"))
      case UInt8(ascii: "n"): input.append(0x0a)
      case UInt8(ascii: "r"): input.append(0x0d)
      case UInt8(ascii: "t"): input.append(0x09)
      case UInt8(ascii: "x"):
        guard let high = rest.next(), let low = rest.next(),
          let number = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
        else { return nil }
        input.append(number)
      default: return nil
      }
    }
    return input
  }
}
