extension Unicode.Scalar {
  /// Whether a terminal, or whoever cuts a text into lines, may take it for a command: the control characters of ASCII,
  /// those of C1, of which U+009B begins a sequence as an escape and a bracket do, and the separators of lines and
  /// paragraphs.
  public var isControl: Bool {
    switch value {
    case 0x00..<0x20, 0x7f..<0xa0, 0x2028, 0x2029: true
    default: false
    }
  }
}

extension String {
  /// The same, with `\u009b` and the like for each control character but the tab, which may stand between the tokens of a
  /// JSON text: such a text means what it meant.
  public var withControlsEscaped: String {
    guard unicodeScalars.contains(where: { $0.isControl && $0 != "\t" }) else { return self }
    return unicodeScalars.reduce(into: "") { text, scalar in
      guard scalar.isControl, scalar != "\t" else { return text.unicodeScalars.append(scalar) }
      let digits = String(scalar.value, radix: 16)
      text += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)"
    }
  }
}
