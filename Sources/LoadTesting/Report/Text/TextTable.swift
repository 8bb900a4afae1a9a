/// Columns of text: the first to the left, the others to the right.
struct TextTable {
  struct Cell: ExpressibleByStringInterpolation {
    var text: String
    var tone: TextStyle.Tone?

    init(_ text: String, _ tone: TextStyle.Tone? = nil) {
      self.text = text
      self.tone = tone
    }

    init(stringLiteral value: String) { text = value }
  }

  private var rows: [[Cell]]
  private var leftColumns: Set<Int>

  init(_ head: [String], leftColumns: Set<Int> = [0]) {
    rows = [head.map { Cell($0, .quiet) }]
    self.leftColumns = leftColumns
  }

  mutating func add(_ row: [Cell]) { rows.append(row) }

  func lines(indent: String = "", _ style: TextStyle) -> [String] {
    let columns = rows.reduce(0) { max($0, $1.count) }
    let widths = (0..<columns).map { column in
      rows.reduce(0) { max($0, $1.indices.contains(column) ? $1[column].text.count : 0) }
    }
    return rows.map { row in
      var line = indent
      for (column, cell) in row.enumerated() {
        let blanks = String(repeating: " ", count: widths[column] - cell.text.count)
        let isLast = column == row.count - 1
        if leftColumns.contains(column) {
          line += style(cell.tone, cell.text) + (isLast ? "" : blanks)
        } else {
          line += blanks + style(cell.tone, cell.text)
        }
        if !isLast { line += "  " }
      }
      return line
    }
  }
}
