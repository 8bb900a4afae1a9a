import Testing

@testable import LoadTesting

@Suite struct TicksTests {
  @Test(
    arguments: [
      (10.0, [0.0, 5, 10]), (9_000, [0, 5_000, 10_000]), (1, [0, 0.5, 1]), (0.66, [0, 0.2, 0.4, 0.6, 0.8]),
      (37, [0, 10, 20, 30, 40]),
    ] as [(Double, [Double])]
  )
  func linearTicksAreRound(_ most: Double, _ ticks: [Double]) {
    let found = Ticks.linear(to: most)
    #expect(found.count == ticks.count)
    #expect(zip(found, ticks).allSatisfy { abs($0 - $1) < 1e-9 })
  }

  @Test(arguments: [0.003, 1, 7, 12.5, 99, 100, 101, 4_321, 1e7])
  func linearTicksReachTheMostAndAreFew(_ most: Double) {
    let ticks = Ticks.linear(to: most)
    #expect(ticks.first == 0)
    #expect(ticks.last! >= most * 0.999)
    #expect(ticks.last! <= most * 2.001)
    #expect((2...6).contains(ticks.count))
  }

  @Test func anEmptyAxisHasTicksToo() {
    #expect(Ticks.linear(to: 0) == [0, 1])
    #expect(Ticks.linear(to: .nan) == [0, 1])
    #expect(Ticks.seconds(0, 0) == [0])
  }

  @Test func bytesAreDividedByPowersOfTwo() {
    #expect(Ticks.binary(to: 100_000_000) == [0, 32, 64, 96].map { $0 * 1_048_576 })
  }

  @Test func secondsAreDividedLikeAClock() {
    #expect(Ticks.seconds(-3, 60) == [0, 10, 20, 30, 40, 50, 60])
    #expect(Ticks.seconds(-9, 120) == [0, 30, 60, 90, 120])
    #expect(Ticks.seconds(0, 7_200).allSatisfy { $0.truncatingRemainder(dividingBy: 900) == 0 })
  }

  @Test(arguments: [(300.0, 42_000.0), (1, 1), (950, 2_300_000), (1_000, 100_000), (40, 60)])
  func logarithmicTicksEncloseTheValues(_ least: Double, _ most: Double) {
    let ticks = Ticks.logarithmic(least, most)
    #expect(ticks.first! <= least)
    #expect(ticks.last! >= most)
    #expect((2...9).contains(ticks.count))
    #expect(zip(ticks, ticks.dropFirst()).allSatisfy { $0 < $1 })
  }
}
