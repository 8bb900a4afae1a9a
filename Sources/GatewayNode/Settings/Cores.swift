private import NIOCore

/// The processors that this process may use.
enum Cores {
  /// At least 1: the smaller of the scheduler's affinity and the control group's quota, rounded up.
  static var usable: Int {
    max(1, min(affinity(in: (try? TextFile.read("/proc/self/status")) ?? []) ?? .max, System.coreCount))
  }

  /// The processors of `Cpus_allowed`, as `taskset` sets it; nil where `/proc` is missing.
  static func affinity(in status: [UInt8]) -> Int? {
    let field = "Cpus_allowed:"
    let lines = String(decoding: status, as: UTF8.self).split(separator: "\n")
    guard let line = lines.first(where: { $0.hasPrefix(field) }) else { return nil }
    let count = line.dropFirst(field.count).compactMap(\.hexDigitValue).reduce(0) { $0 + $1.nonzeroBitCount }
    return count > 0 ? count : nil
  }
}
