import SluiceClient
import Testing

/// What a node counts, read from its operator listener.
enum Metrics {
  /// The value of one series, named with its labels as it is written: `sluice_connections{transport="poll"}`.
  static func value(_ series: String, of operating: Endpoint) async throws -> Int {
    let text = try await HTTP.get(operating, "/metrics").text
    let line = text.split(separator: "\n").first { $0.hasPrefix("\(series) ") }
    let number = try #require(line, "there is no \(series)").split(separator: " ").last.flatMap { Double($0) }
    return Int(try #require(number))
  }

  /// Long polls that are held.
  static func heldPolls(of operating: Endpoint) async throws -> Int {
    try await value(#"sluice_connections{transport="poll"}"#, of: operating)
  }

  /// Polls that were answered.
  static func answeredPolls(_ kind: String, of operating: Endpoint) async throws -> Int {
    try await value(#"sluice_polls_total{kind="\#(kind)"}"#, of: operating)
  }
}
