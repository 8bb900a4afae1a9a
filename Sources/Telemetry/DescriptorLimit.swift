#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#else
  private import Darwin
#endif

/// How many connections and files the process may have open.
public enum DescriptorLimit {
  /// Raises the soft limit to the hard one; answers what holds afterwards.
  @discardableResult
  public static func raise() -> Int {
    var limit = rlimit()
    guard getrlimit(kind, &limit) == 0 else { return 0 }
    if limit.rlim_cur < limit.rlim_max {
      var raised = limit
      raised.rlim_cur = limit.rlim_max
      if setrlimit(kind, &raised) == 0 { limit = raised }
    }
    return Int(clamping: limit.rlim_cur)
  }

  /// The limit in force; `Int.max` where there is none.
  public static var current: Int {
    var limit = rlimit()
    return getrlimit(kind, &limit) == 0 ? Int(clamping: limit.rlim_cur) : .max
  }

  /// What it can be raised to.
  public static var most: Int {
    var limit = rlimit()
    return getrlimit(kind, &limit) == 0 ? Int(clamping: limit.rlim_max) : .max
  }

  /// Has the system make its table of them as large as that at once, or as the limit. Where it grows as connections
  /// come, whoever opens one that finds no room waits some milliseconds, and so does everything on its thread.
  public static func makeRoom(for count: Int) {
    let file = open("/dev/null", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    defer { close(file) }
    let last = fcntl(file, F_DUPFD_CLOEXEC, Int32(clamping: min(count, current, mostRoom) - 1))
    if last >= 0 { close(last) }
  }

  /// Eight bytes each.
  private static let mostRoom = 1 << 18

  #if canImport(Glibc)
    private static let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
  #else
    private static let kind = RLIMIT_NOFILE
  #endif
}
