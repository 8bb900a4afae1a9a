/// Text that goes into a page.
enum HTML {
  static func escaped(_ text: some StringProtocol) -> String {
    var safe = ""
    for character in text {
      switch character {
      case "&": safe += "&amp;"
      case "<": safe += "&lt;"
      case ">": safe += "&gt;"
      case "\"": safe += "&quot;"
      case "'": safe += "&#39;"
      default: safe.append(character)
      }
    }
    return safe
  }

  /// - Parameter rows: of cells that are text; the first is the row's head.
  static func table(_ caption: String, _ head: [String], _ rows: [[String]], isNumeric: Bool = true) -> String
  {
    let heads = head.map { "<th scope=\"col\">\(escaped($0))</th>" }.joined()
    let lines = rows.map { row in
      let cells = row.dropFirst().map { "<td>\(escaped($0))</td>" }.joined()
      return "<tr><th scope=\"row\">\(escaped(row.first ?? ""))</th>\(cells)</tr>"
    }
    return """
      <div class="scroll"><table class="\(isNumeric ? "numbers" : "words")"><caption>\(escaped(caption))</caption>
      <thead><tr>\(heads)</tr></thead>
      <tbody>
      \(lines.joined(separator: "\n"))
      </tbody></table></div>
      """
  }
}
