import Testing

@testable import LoadTesting

@Suite struct FigureTests {
  @Test(arguments: [
    (0, "0"), (7, "7"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567"), (-12_345, "-12,345"),
  ])
  func countsAreGrouped(_ number: Int, _ text: String) {
    #expect(Figure.count(number) == text)
  }

  @Test(arguments: [
    (0, "0 µs"), (840, "840 µs"), (999, "999 µs"), (1_000, "1.00 ms"), (1_240, "1.24 ms"),
    (12_350, "12.4 ms"),
    (999_499, "999 ms"), (999_500, "1.00 s"), (12_400_000, "12.4 s"), (65_000_000, "1 min 05 s"),
    (3_600_000_000, "1 h 00 min"),
  ])
  func timesHaveThreeDigitsAndAUnit(_ microseconds: Int, _ text: String) {
    #expect(Figure.time(microseconds) == text)
  }

  @Test(arguments: [
    (0.0, "0/s"), (0.5, "0.5/s"), (9.96, "10/s"), (20, "20/s"), (49_999.6, "50,000/s"),
  ])
  func ratesBelowTenHaveADecimal(_ rate: Double, _ text: String) {
    #expect(Figure.rate(rate) == text)
  }

  @Test(arguments: [
    (0, "0 B"), (1_023, "1,023 B"), (5_222, "5.10 KiB"), (52_428_800, "50.0 MiB"),
    (1_073_741_824, "1.00 GiB"),
  ])
  func bytesGrowByPowersOfTwo(_ bytes: Int, _ text: String) {
    #expect(Figure.bytes(bytes) == text)
  }

  @Test(arguments: [
    (0.0, "0:00"), (7.4, "0:07"), (61, "1:01"), (3_723, "1:02:03"), (-9, "-0:09"), (-0.2, "0:00"),
  ])
  func clocksCountFromTheStart(_ seconds: Double, _ text: String) {
    #expect(Figure.clock(seconds) == text)
  }

  @Test func whatIsNoNumberIsADash() {
    #expect(Figure.fixed(.nan, 2) == "-")
    #expect(Figure.duration(.infinity) == "-")
    #expect(Figure.amount(.nan) == "-")
  }

  @Test func decimalsInVainAreLeftOut() {
    #expect(Figure.trimmed(2.50, 2) == "2.5")
    #expect(Figure.trimmed(2, 2) == "2")
    #expect(Figure.fixed(0.05, 2) == "0.05")
    #expect(Figure.fixed(-0.004, 2) == "0.00")
  }
}
