/// Moments as numbered lines in a plot of times, their words in lanes above it so that none lies on another.
struct PlotMarks {
  struct Placed {
    var number: Int
    var mark: LoadMark
    /// 0 to 1, from the left.
    var place: Double
    var lane: Int
    /// Whether the words stand to the left of the line.
    var isLeft: Bool
    /// False where there was no room for them; the number is there.
    var hasWords: Bool
  }

  let placed: [Placed]
  let lanes: Int

  static let laneHeight = 19
  private static let mostLanes = 4
  /// The width that words are laid out for, and that of one letter, in pixels. On narrower screens only numbers show.
  private static let width = 760.0
  private static let letter = 6.2
  private static let badge = 22.0

  init(_ marks: [LoadMark], first: Double, last: Double) {
    var ends = [[ClosedRange<Double>]](repeating: [], count: PlotMarks.mostLanes)
    var placed: [Placed] = []
    let span = max(last - first, 0.001)
    for (index, mark) in marks.enumerated() where mark.atS >= first && mark.atS <= last {
      let place = (mark.atS - first) / span
      let words = Double(mark.text.count) * PlotMarks.letter + PlotMarks.badge + 8
      let isLeft = place * PlotMarks.width + words > PlotMarks.width
      func room(_ words: Double) -> ClosedRange<Double> {
        let x = place * PlotMarks.width
        let half = PlotMarks.badge / 2
        return isLeft ? (x - words)...(x + half) : (x - half)...(x + words)
      }
      func lane(_ room: ClosedRange<Double>) -> Int? {
        ends.firstIndex { lane in !lane.contains { $0.overlaps(room) } }
      }
      let hasWords = lane(room(words)) != nil
      let taken = room(hasWords ? words : PlotMarks.badge)
      let chosen = lane(taken) ?? PlotMarks.mostLanes - 1
      ends[chosen].append(taken)
      placed.append(
        Placed(number: index + 1, mark: mark, place: place, lane: chosen, isLeft: isLeft, hasWords: hasWords)
      )
    }
    self.placed = placed
    lanes = placed.reduce(0) { max($0, $1.lane + 1) }
  }

  var height: Int { lanes * PlotMarks.laneHeight }

  /// The lines first, so that they lie under the words.
  /// - Parameter bottom: where the lines end.
  func svg(bottom: Int) -> String {
    let lines = placed.map { item in
      let x = PlotDrawing.percent(item.place)
      return """
        <g class="mark \(item.mark.kind.rawValue)"><line x1="\(x)" x2="\(x)" y1="\(item.middle)" y2="\(bottom)"/></g>
        """
    }
    return (lines + placed.map(\.label)).joined(separator: "\n")
  }
}

extension PlotMarks.Placed {
  fileprivate var middle: Int { lane * PlotMarks.laneHeight + 9 }

  /// Its number, and its words where there is room.
  fileprivate var label: String {
    let x = PlotDrawing.percent(place)
    let words = """
      <text class="words" x="\(x)" y="\(middle + 4)" dx="\(isLeft ? -12 : 12)" \
      text-anchor="\(isLeft ? "end" : "start")">\(HTML.escaped(mark.text))</text>
      """
    return """
      <g class="label mark \(mark.kind.rawValue)"><title>\(Figure.clock(mark.atS)) \(HTML.escaped(mark.text))</title>\
      <rect x="\(x)" y="\(middle - 8)" width="16" height="16" rx="\(mark.kind == .phase ? 8 : 3)" \
      transform="translate(-8 0)"/><text class="number" x="\(x)" y="\(middle + 4)">\(number)</text>\
      \(hasWords ? words : "")</g>
      """
  }
}
