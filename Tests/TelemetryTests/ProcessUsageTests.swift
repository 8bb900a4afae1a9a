import Telemetry
import Testing

@Suite struct ProcessUsageTests {
  @Test func readsThisProcess() {
    let usage = ProcessUsage.read()
    #expect(usage.residentBytes > 1_000_000)
    let open = usage.openDescriptors ?? 0
    #expect(open >= 3)
    #expect(usage.maximumDescriptors >= open)
    #expect(usage.userSeconds + usage.systemSeconds > 0)
  }

  @Test func cpuTimeGrowsWithWork() {
    let before = ProcessUsage.read()
    var sum = 0.0
    for number in 0..<3_000_000 { sum += Double(number).squareRoot() }
    #expect(sum > 0)
    #expect(ProcessUsage.read().userSeconds > before.userSeconds)
  }

  @Test func isExposed() {
    let registry = MetricsRegistry()
    registry.addProcess()
    let text = registry.exposition()
    for name in [
      "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_max_fds",
      "sluice_process_cpu_seconds_total{mode=\"user\"}", "sluice_process_cpu_seconds_total{mode=\"system\"}",
    ] {
      #expect(text.contains("\n\(name) ") || text.hasPrefix("\(name) "))
    }
  }
}
