import Foundation

/// The result as a page: one file that asks for nothing else, and says all it has to say without a script.
public struct ReportPage {
  private let result: LoadResult
  private let plots: ReportPlots

  public init(_ result: LoadResult) {
    self.result = result
    plots = ReportPlots(result: result)
  }

  public func html() throws -> String {
    var data = PlotData()
    let figures = plots.overTime.map { plot in
      data.add(plot, first: plots.first, last: plots.last)
      return PlotDrawing(plot, first: plots.first, last: plots.last, marks: result.marks).figure()
    }
    var distribution = ""
    if let plot = plots.percentiles {
      let last = max(2, plot.series.flatMap(\.points).reduce(0) { max($0, $1.x) })
      data.add(plot, first: 0, last: last)
      distribution = PlotDrawing(plot, first: 0, last: last, marks: []).figure()
    }
    let sections = PageSections(result: result)
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(result.isGood ? "PASS" : "FAIL"): sluice load \(HTML.escaped(result.scenario))</title>
      <style>
      \(String(decoding: PackageResources.report_css, as: UTF8.self))
      </style>
      </head>
      <body>
      \(sections.head)
      <main>
      \(sections.tiles)
      \(sections.trouble)
      <section aria-labelledby="times-title"><h2 id="times-title">Times</h2>
      \(sections.times)
      \(distribution)
      </section>
      <section aria-labelledby="run-title"><h2 id="run-title">The run</h2>
      \(sections.moments)
      <div class="plots">
      \(figures.joined(separator: "\n"))
      </div>
      </section>
      \(sections.tables)
      </main>
      <script type="application/json" id="data">\(try data.json())</script>
      <script>
      \(String(decoding: PackageResources.report_js, as: UTF8.self))
      </script>
      </body>
      </html>

      """
  }
}
