import NIOCore
import Telemetry

#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#else
  private import Darwin
#endif

/// What this process takes of the machine.
struct DriverMeter {
  private var last = (at: NIODeadline.now(), seconds: DriverMeter.processorSeconds)
  private var begin: (at: NIODeadline, seconds: Double)?
  private(set) var peak = 0.0

  /// Cores in use since it was last asked.
  mutating func cores() -> Double {
    let now = NIODeadline.now()
    let seconds = DriverMeter.processorSeconds
    let elapsed = Double((now - last.at).nanoseconds) / 1_000_000_000
    let cores = elapsed > 0 ? (seconds - last.seconds) / elapsed : 0
    last = (now, seconds)
    if begin != nil { peak = max(peak, cores) }
    return cores
  }

  /// Measuring begins.
  mutating func beginMeasuring() {
    begin = (.now(), DriverMeter.processorSeconds)
    peak = 0
  }

  /// Cores in use on average since then.
  var average: Double {
    guard let begin else { return 0 }
    let elapsed = Double((NIODeadline.now() - begin.at).nanoseconds) / 1_000_000_000
    return elapsed > 0 ? (DriverMeter.processorSeconds - begin.seconds) / elapsed : 0
  }

  /// User and system, since the process began.
  static var processorSeconds: Double {
    let usage = ProcessUsage.read()
    return usage.userSeconds + usage.systemSeconds
  }

  /// Cores that it may use.
  static var coresAvailable: Int { Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  /// Resident memory, in bytes; 0 where the system does not say it.
  static var residentBytes: Int { ProcessUsage.read().residentBytes }

  /// Core-seconds that the machine was busy and could have been, since it started; nil where it does not say it.
  static var machineSeconds: (busy: Double, all: Double)? {
    guard let file = fopen("/proc/stat", "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 512)
    guard fgets(&line, Int32(line.count), file) != nil else { return nil }
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let ticks = text.split(separator: " ").dropFirst().compactMap { Double($0.filter(\.isNumber)) }
    guard ticks.count >= 5 else { return nil }
    let all = ticks.prefix(8).reduce(0, +)
    return (all - ticks[3] - ticks[4], all)
  }
}
