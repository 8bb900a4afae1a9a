extension MetricsRegistry {
  /// Adds what the process takes of its machine, under Prometheus's customary names.
  public func addProcess() {
    counter("process_cpu_seconds_total", help: "User and system CPU time, in seconds.") {
      let usage = ProcessUsage.read()
      return usage.userSeconds + usage.systemSeconds
    }
    counter(
      "sluice_process_cpu_seconds_total",
      help: "CPU time, in seconds, user and system apart.",
      labels: ["mode": "user"]
    ) {
      ProcessUsage.read().userSeconds
    }
    counter(
      "sluice_process_cpu_seconds_total",
      help: "CPU time, in seconds, user and system apart.",
      labels: ["mode": "system"]
    ) {
      ProcessUsage.read().systemSeconds
    }
    gauge("process_resident_memory_bytes", help: "Resident memory, in bytes.") {
      let bytes = ProcessUsage.read().residentBytes
      return bytes > 0 ? Double(bytes) : nil
    }
    gauge("process_open_fds", help: "Open file descriptors.") {
      ProcessUsage.read().openDescriptors.map(Double.init)
    }
    gauge("process_max_fds", help: "The most file descriptors that the process may have open.") {
      Double(ProcessUsage.read().maximumDescriptors)
    }
  }
}
