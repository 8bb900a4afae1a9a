#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#else
  private import Darwin
#endif

/// The time that people and other machines know.
public enum WallClock {
  /// Milliseconds since 1970.
  public static func milliseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
  }
}

/// A time that nobody sets, and that goes on while the machine sleeps.
public enum SteadyClock {
  /// Milliseconds since some moment before the process began.
  public static func milliseconds() -> Int64 {
    var now = timespec()
    #if canImport(Darwin)
      clock_gettime(CLOCK_MONOTONIC, &now)
    #else
      clock_gettime(CLOCK_BOOTTIME, &now)
    #endif
    return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
  }
}
