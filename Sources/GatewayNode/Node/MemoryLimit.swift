#if canImport(Glibc)
  private import Glibc
#endif

/// How much memory the process may have.
enum MemoryLimit {
  /// In bytes: the smallest limit of the control groups, else the machine's memory; 0 where neither is known.
  static func read() -> Int {
    let machine = total(in: (try? TextFile.read("/proc/meminfo")) ?? [])
    let group = group(of: (try? TextFile.read("/proc/self/cgroup")) ?? []) { try? TextFile.read($0) }
    return min(machine ?? .max, group ?? .max) == .max ? 0 : min(machine ?? .max, group ?? .max)
  }

  /// `MemTotal:  24064928 kB`.
  static func total(in text: [UInt8]) -> Int? {
    let field = "MemTotal:"
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
    guard let line = lines.first(where: { $0.hasPrefix(field) }),
      let number = line.dropFirst(field.count).split(separator: " ").first.flatMap({ Int($0) })
    else { return nil }
    return number * 1_024
  }

  /// The smallest limit of the control groups that a process is in, from its own up to the root, of both versions
  /// (cgroups(7)). A container that sees its groups under other names than its process has still finds the root.
  /// - Parameters:
  ///   - text: of `/proc/self/cgroup`, lines of `number:controllers:path`; version 2 has no controllers.
  ///   - file: what a file holds; nil where there is none.
  static func group(of text: [UInt8], _ file: (String) -> [UInt8]?) -> Int? {
    var (second, first) = ("/", "/")
    for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      if fields[1].isEmpty { second = String(fields[2]) }
      if fields[1].split(separator: ",").contains("memory") { first = String(fields[2]) }
    }
    let files =
      upwards(from: second).map { "/sys/fs/cgroup\($0)/memory.max" }
      + upwards(from: first).map { "/sys/fs/cgroup/memory\($0)/memory.limit_in_bytes" }
    return files.compactMap { file($0).flatMap(limit) }.min()
  }

  /// `/a/b`, `/a` and the root, which is empty.
  private static func upwards(from path: String) -> [String] {
    let names = path.split(separator: "/")
    return (0...names.count).reversed().map { names.prefix($0).map { "/\($0)" }.joined() }
  }

  /// Bytes, or `max`. Version 1 says it with the largest number of whole pages.
  static func limit(_ text: [UInt8]) -> Int? {
    Int(String(decoding: text, as: UTF8.self).prefix { $0.isNumber }).flatMap { $0 < 1 << 62 ? $0 : nil }
  }

  /// Lets large pieces of memory go back to the system as soon as they are freed: by itself the C library keeps ever
  /// larger ones, in the belief that they will be needed again.
  static func keepLittle() {
    #if canImport(Glibc)
      let largeFrom: Int32 = 512 << 10
      _ = option?(-3, largeFrom)  // M_MMAP_THRESHOLD
      _ = option?(-1, 2 * largeFrom)  // M_TRIM_THRESHOLD
    #endif
  }

  /// Gives memory that was freed back to the system, which the C library does not do by itself.
  static func giveBack() {
    #if canImport(Glibc)
      _ = trim?(0)
    #endif
  }

  #if canImport(Glibc)
    /// `mallopt(3)`, which is not in the module either.
    private static let option: (@convention(c) (Int32, Int32) -> Int32)? = dlsym(nil, "mallopt").map {
      unsafeBitCast($0, to: (@convention(c) (Int32, Int32) -> Int32).self)
    }
    /// `malloc_trim(3)`, which is not in the module.
    private static let trim: (@convention(c) (Int) -> Int32)? = dlsym(nil, "malloc_trim").map {
      unsafeBitCast($0, to: (@convention(c) (Int) -> Int32).self)
    }
  #endif
}
