#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#else
  private import Darwin
#endif

/// What this process takes of its machine, read from the kernel each time.
public struct ProcessUsage: Sendable {
  /// Seconds of CPU since the process began.
  public var userSeconds: Double
  public var systemSeconds: Double
  /// Bytes; 0 where `/proc` is missing, and when there is no descriptor left to look with.
  public var residentBytes: Int
  /// The soft limit.
  public var maximumDescriptors: Int

  /// How many there are now, counted when this is asked for: it costs a walk over all of them. Nil where `/proc` is
  /// missing, and when there is none left to look with.
  public var openDescriptors: Int? { Self.countDescriptors() }

  /// The state of now.
  public static func read() -> ProcessUsage {
    var usage = rusage()
    #if canImport(Glibc)
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    #else
      getrusage(RUSAGE_SELF, &usage)
    #endif
    return ProcessUsage(
      userSeconds: seconds(usage.ru_utime),
      systemSeconds: seconds(usage.ru_stime),
      residentBytes: residentBytes(),
      maximumDescriptors: maximumDescriptors()
    )
  }

  private static func seconds(_ time: timeval) -> Double {
    Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000
  }

  /// The second field of `/proc/self/statm`, in pages.
  private static func residentBytes() -> Int {
    let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return 0 }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 128)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard count > 0 else { return 0 }
    let fields = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
  }

  /// The directory's own descriptor does not count.
  private static func countDescriptors() -> Int? {
    guard let directory = opendir("/proc/self/fd") else { return nil }
    defer { closedir(directory) }
    var count = 0
    while let entry = readdir(directory) {
      if entry.pointee.d_name.0 != CChar(bitPattern: UInt8(ascii: ".")) { count += 1 }
    }
    return max(0, count - 1)
  }

  private static func maximumDescriptors() -> Int {
    var limit = rlimit()
    #if canImport(Glibc)
      let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
      let kind = RLIMIT_NOFILE
    #endif
    guard getrlimit(kind, &limit) == 0 else { return 0 }
    return Int(clamping: limit.rlim_cur)
  }
}
