import Telemetry
import Testing

@Suite struct HistogramTests {
  @Test func countsEachValueInTheFirstBucketThatHoldsIt() {
    let histogram = Histogram(bounds: [0.1, 1, 10])
    for value in [0.05, 0.1, 0.5, 10, 11, 1_000] { histogram.observe(value) }
    #expect(histogram.counts == [2, 1, 1, 2])
    #expect(abs(histogram.sum - 1_021.65) < 1e-9)
  }

  @Test func losesNothingUnderContention() async {
    let histogram = Histogram(bounds: [1])
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask { for _ in 0..<10_000 { histogram.observe(2) } }
      }
    }
    #expect(histogram.counts == [0, 40_000])
    #expect(histogram.sum == 80_000)
  }
}
