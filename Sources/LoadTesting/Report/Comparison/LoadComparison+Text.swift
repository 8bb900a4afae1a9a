extension LoadComparison {
  /// A table for a person.
  public func text(style: TextStyle = .plain) -> String {
    var lines: [String] = []
    var table = TextTable([""] + runs.indices.flatMap(head), leftColumns: leftColumns)
    table.add([TextTable.Cell("scenario", .quiet)] + cells { TextTable.Cell(runs[$0].scenario) })
    table.add(
      [TextTable.Cell("measured", .quiet)] + cells { TextTable.Cell(Figure.duration(runs[$0].elapsedS)) }
    )
    table.add(
      [TextTable.Cell("verdict", .quiet)]
        + cells { runs[$0].isGood ? TextTable.Cell("PASS", .good) : TextTable.Cell("FAIL", .bad) }
    )
    for figure in figures {
      var row = [TextTable.Cell(figure.name, .quiet)]
      for index in runs.indices {
        row.append(TextTable.Cell(figure.text(index)))
        guard index > 0 else { continue }
        row.append(TextTable.Cell(figure.ratio(index).map(Figure.ratio) ?? ""))
        row.append(LoadComparison.cell(figure.change(index)))
      }
      table.add(row)
    }
    lines += table.lines(style)
    lines.append("")
    lines.append(style(.quiet, "~ differs no more than runs of the same do; better and worse go beyond that"))
    for run in runs {
      guard let limit = run.driverLimit else { continue }
      lines.append(style(.warning, "\(run.name): the driver, not the server, was the limit: \(limit)"))
    }
    if differences.isEmpty {
      if runs.count > 1 { lines.append("the plans are the same") }
    } else {
      lines.append(style(.warning, "the plans differ, so the figures may not be of the same thing:"))
      var table = TextTable([""] + runs.map(\.name), leftColumns: Set(0...runs.count))
      for difference in differences {
        table.add(
          [TextTable.Cell(difference.setting, .quiet)] + difference.values.map { TextTable.Cell($0 ?? "-") }
        )
      }
      lines += table.lines(indent: "  ", style)
    }
    return lines.joined(separator: "\n")
  }

  /// Each run but the first has a column of ratios and one of words.
  private var leftColumns: Set<Int> { Set([0] + runs.indices.dropFirst().map { 1 + $0 * 3 }) }

  private func head(_ index: Int) -> [String] { index == 0 ? [runs[0].name] : [runs[index].name, "", ""] }

  private func cells(_ cell: (Int) -> TextTable.Cell) -> [TextTable.Cell] {
    runs.indices.flatMap { $0 == 0 ? [cell($0)] : [cell($0), "", ""] }
  }

  private static func cell(_ change: ComparedFigure.Change?) -> TextTable.Cell {
    switch change {
    case .better: TextTable.Cell("better", .good)
    case .worse: TextTable.Cell("worse", .bad)
    case .noise: TextTable.Cell("~", .quiet)
    case nil: TextTable.Cell("")
    }
  }
}
