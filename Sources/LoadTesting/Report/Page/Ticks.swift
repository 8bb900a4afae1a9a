/// Where an axis is divided.
enum Ticks {
  /// From 0 to at least `most`, at 1, 2 or 5 times a power of ten, about `wanted` of them.
  static func linear(to most: Double, wanted: Int = 4) -> [Double] {
    guard most > 0, most.isFinite else { return [0, 1] }
    return upward(by: step(most / Double(wanted), of: [1, 2, 5, 10], base: 10), to: most)
  }

  /// The same at powers of two, for bytes.
  static func binary(to most: Double, wanted: Int = 4) -> [Double] {
    guard most > 0, most.isFinite else { return [0, 1_024] }
    var unit = 1.0
    while unit * 1_024 <= most { unit *= 1_024 }
    let step = step(
      most / unit / Double(wanted),
      of: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024],
      base: 1_024
    )
    return upward(by: step * unit, to: most)
  }

  /// Seconds within `first...last`, at what clocks are divided into.
  static func seconds(_ first: Double, _ last: Double, wanted: Int = 8) -> [Double] {
    let steps: [Double] = [
      1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400,
    ]
    let rough = (last - first) / Double(wanted)
    let step = steps.first { $0 >= rough } ?? (rough / 86_400).rounded(.up) * 86_400
    guard step > 0, last > first else { return [first] }
    return stride(from: (first / step).rounded(.up) * step, through: last, by: step).map { $0 }
  }

  /// Powers of ten about `least...most`, and between them 2 and 5 when there would be few; the ends are the axis's.
  static func logarithmic(_ least: Double, _ most: Double) -> [Double] {
    guard least > 0, most >= least else { return [1, 10] }
    var first = 1.0
    while first > least { first /= 10 }
    while first * 10 <= least { first *= 10 }
    var ticks: [Double] = []
    var decade = first
    while true {
      for factor in [1.0, 2, 5] {
        ticks.append(decade * factor)
        if decade * factor >= most, ticks.count > 1 { return pruned(ticks, least: least) }
      }
      decade *= 10
    }
  }

  private static func pruned(_ ticks: [Double], least: Double) -> [Double] {
    // Begins at the last tick that is not above the least.
    let begun = ticks.lastIndex { $0 <= least }.map { Array(ticks[$0...]) } ?? ticks
    guard begun.count > 6, let first = begun.first, let last = begun.last else { return begun }
    // Of those between, only powers of ten that are not close to an end.
    return begun.filter { tick in
      tick == first || tick == last
        || (isPowerOfTen(tick) && tick / first > 2.5 && last / tick > 2.5)
    }
  }

  private static func isPowerOfTen(_ number: Double) -> Bool {
    var number = number
    while number >= 9.999 { number /= 10 }
    while number < 0.9999 { number *= 10 }
    return abs(number - 1) < 0.001
  }

  private static func step(_ rough: Double, of steps: [Double], base: Double) -> Double {
    var power = 1.0
    while power > rough { power /= base }
    while power * base < rough { power *= base }
    return power * (steps.first { power * $0 >= rough * 0.999 } ?? base)
  }

  private static func upward(by step: Double, to most: Double) -> [Double] {
    let count = Int(clamping: (most / step - 1e-9).rounded(.up))
    return (0...max(1, count)).map { Double($0) * step }
  }
}
