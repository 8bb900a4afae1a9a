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

  #if canImport(Glibc)
    private static let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
  #else
    private static let kind = RLIMIT_NOFILE
  #endif
}
