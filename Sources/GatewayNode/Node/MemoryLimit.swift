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
}
