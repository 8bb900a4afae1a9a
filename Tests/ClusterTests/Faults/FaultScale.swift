import Foundation

/// How large the fault tests are: as the promises name them, or smaller where a machine is.
struct FaultScale {
  /// `SLUICE_TEST_CLIENTS`.
  let clients: Int
  /// Publishes a second, `SLUICE_TEST_RATE`.
  let rate: Int
  /// `SLUICE_TEST_CHANNELS`.
  let channels: Int

  static let asked = FaultScale(
    clients: number("SLUICE_TEST_CLIENTS") ?? 1_500,
    rate: number("SLUICE_TEST_RATE") ?? 200,
    channels: number("SLUICE_TEST_CHANNELS") ?? 20
  )

  private static func number(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
  }
}
