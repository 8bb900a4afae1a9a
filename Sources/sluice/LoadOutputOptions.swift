import ArgumentParser
import Foundation
import LoadTesting

/// How a load test is shown.
struct LoadOutputOptions: ParsableArguments {
  @Flag(help: "Print the result as a JSON object, for programs; how it goes is said on standard error.")
  var json = false

  func observer() -> any LoadObserver { LoadLines() }

  /// Shows what came of it.
  func finish(_ result: LoadResult) throws {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = json ? [.sortedKeys] : [.sortedKeys, .prettyPrinted]
    FileHandle.standardOutput.write(try encoder.encode(result) + Data("\n".utf8))
  }
}

/// A line a second on standard error.
private struct LoadLines: LoadObserver {
  func phase(_ text: String) { StandardError.print(text) }

  func sample(_ sample: LoadSample, totals: LoadTotals, expected: Double?) {
    StandardError.print(
      """
      \(Int(sample.atS)) s: \(sample.connected) connected, \(sample.published) published, \(sample.delivered) \
      delivered, p50 \(sample.deliveryP50Us ?? 0) µs, p99 \(sample.deliveryP99Us ?? 0) µs, \(sample.errors) errors
      """
    )
  }

  func mark(_ mark: LoadMark) { StandardError.print("\(Int(mark.atS)) s: \(mark.text)") }
}
