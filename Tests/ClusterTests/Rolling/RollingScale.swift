import Foundation

/// How large the rolling restarts are: as the promise names them, or smaller where a machine is.
struct RollingScale {
  /// `SLUICE_TEST_CLIENTS`; the promise is of 9,000.
  let clients: Int
  /// Publishes a second, `SLUICE_TEST_RATE`.
  let rate: Int
  /// `SLUICE_TEST_CHANNELS`.
  let channels: Int
  /// Over which each node sends its clients away, in seconds, `SLUICE_TEST_WINDOW`.
  let window: Int
  /// Rolling restarts, one after another, `SLUICE_TEST_ROUNDS`.
  let rounds: Int

  static let asked: RollingScale = {
    let clients = number("SLUICE_TEST_CLIENTS") ?? 360
    return RollingScale(
      clients: clients,
      rate: number("SLUICE_TEST_RATE") ?? 100,
      channels: number("SLUICE_TEST_CHANNELS") ?? 50,
      window: number("SLUICE_TEST_WINDOW") ?? max(3, clients / 200),
      rounds: number("SLUICE_TEST_ROUNDS") ?? 3
    )
  }()

  private static func number(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
  }
}
