/// Whether text for a person carries colours.
public enum TextStyle: Sendable {
  case plain
  case colored

  enum Tone: String {
    case good = "32"
    case warning = "33"
    case bad = "31"
    case quiet = "2"
    case strong = "1"
    case accent = "36"
  }

  func callAsFunction(_ tone: Tone?, _ text: String) -> String {
    guard self == .colored, let tone, !text.isEmpty else { return text }
    return "\u{1b}[\(tone.rawValue)m\(text)\u{1b}[0m"
  }
}

/// A line made of pieces, each in its tone, so that its width is known.
struct ToneLine {
  private var pieces: [(tone: TextStyle.Tone?, text: String)] = []

  init(_ text: String = "", _ tone: TextStyle.Tone? = nil) { add(text, tone) }

  mutating func add(_ text: String, _ tone: TextStyle.Tone? = nil) {
    if !text.isEmpty { pieces.append((tone, text)) }
  }

  /// Fills up with blanks to a column.
  mutating func column(_ column: Int) {
    add(String(repeating: " ", count: max(pieces.isEmpty ? 0 : 1, column - width)))
  }

  var width: Int { pieces.reduce(0) { $0 + $1.text.count } }

  /// Cut off at `width`, with a mark where it was cut.
  func text(width: Int = .max, _ style: TextStyle) -> String {
    let isCut = self.width > width
    var left = isCut ? width - 1 : width
    var text = ""
    for piece in pieces where left > 0 {
      let part = String(piece.text.prefix(left))
      left -= part.count
      text += style(piece.tone, part)
    }
    return isCut && width > 0 ? text + "…" : text
  }
}
