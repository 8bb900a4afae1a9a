#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Ports that nobody listens on, below those that the system gives to outgoing connections: a node that is
/// started again finds its port still free.
enum FreePorts {
  static func pick(_ count: Int) throws -> [Int] {
    var found: Set<Int> = []
    for _ in 0..<10_000 where found.count < count {
      let port = Int.random(in: 12_000..<32_000)
      if isFree(port) { found.insert(port) }
    }
    guard found.count == count else { throw Shell.Failed(description: "no \(count) free ports") }
    return Array(found)
  }

  private static func isFree(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}
