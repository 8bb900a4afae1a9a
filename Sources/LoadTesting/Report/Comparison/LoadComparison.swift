public import Foundation

/// Several results side by side, each beside the first.
public struct LoadComparison: Sendable {
  public struct Run: Sendable, Encodable {
    public let name: String
    public let scenario: String
    public let isGood: Bool
    /// Why the driver was the limit; nil when it was not.
    public let driverLimit: String?
    public let elapsedS: Double
  }

  /// A setting that is not the same in all plans; nil where a plan has none such.
  public struct Difference: Sendable, Encodable {
    public let setting: String
    public let values: [String?]
  }

  public let runs: [Run]
  public let differences: [Difference]
  public let figures: [ComparedFigure]

  /// - Precondition: `results` is not empty.
  public init(_ results: [(name: String, result: LoadResult)]) {
    precondition(!results.isEmpty)
    runs = results.map { name, result in
      Run(
        name: name,
        scenario: result.scenario,
        isGood: result.isGood,
        driverLimit: result.driver.limit,
        elapsedS: result.elapsedS
      )
    }
    let all = results.map(\.result)
    differences = LoadComparison.differences(all)
    figures = ComparedFigure.all(of: all)
  }

  private static func differences(_ results: [LoadResult]) -> [Difference] {
    var names: [String] = []
    for setting in results.flatMap(\.plan) where !names.contains(setting.name) { names.append(setting.name) }
    var differences: [Difference] = []
    if Set(results.map(\.scenario)).count > 1 {
      differences.append(Difference(setting: "scenario", values: results.map(\.scenario)))
    }
    for name in names {
      let values = results.map { result -> String? in
        let found = result.plan.filter { $0.name == name }.map(\.value)
        return found.isEmpty ? nil : found.joined(separator: ", ")
      }
      if Set(values).count > 1 { differences.append(Difference(setting: name, values: values)) }
    }
    return differences
  }

  /// What got worse by more than `limit` times, and runs that failed where the first did not, in words.
  public func excesses(over limit: Double) -> [String] {
    runs.indices.dropFirst().flatMap { index in
      var found: [String] = []
      if runs[0].isGood, !runs[index].isGood {
        found.append("\(runs[index].name): it failed, the first did not")
      }
      for figure in figures where figure.exceeds(limit, index) {
        let ratio = figure.ratio(index).map { ", \(Figure.ratio($0))" } ?? ""
        found.append("\(runs[index].name): \(figure.name) \(figure.text(0)) → \(figure.text(index))\(ratio)")
      }
      return found
    }
  }

  /// For programs, names in `snake_case`.
  public func json(failAbove limit: Double? = nil) throws -> Data {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(
      Written(runs: runs, differences: differences, figures: figures, excesses: limit.map(excesses))
    )
  }

  private struct Written: Encodable {
    let runs: [Run]
    let differences: [Difference]
    let figures: [ComparedFigure]
    let excesses: [String]?
  }
}
