#if canImport(Glibc)
  private import Glibc
#endif

/// How much memory the process may have.
enum MemoryLimit {
  /// In bytes: the control group's limit, else the machine's memory; 0 where neither is known.
  static func read() -> Int {
    let machine = total(in: (try? TextFile.read("/proc/meminfo")) ?? [])
    let group = (try? TextFile.read("/sys/fs/cgroup/memory.max")).flatMap(limit)
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

  /// Bytes, or `max`.
  static func limit(_ text: [UInt8]) -> Int? {
    Int(String(decoding: text, as: UTF8.self).prefix { $0.isNumber })
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
