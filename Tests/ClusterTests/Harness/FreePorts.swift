import NIOConcurrencyHelpers

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Ports that nobody listens on, below those that the system gives to outgoing connections: a node that is
/// started again finds its port still free. What one process of tests has picked, another does not pick.
enum FreePorts {
  /// Of this process.
  private static let picked = NIOLockedValueBox<Set<Int>>([])
  /// A byte of it for each port, locked by the process that has picked that, as long as it lives.
  private static let claims = open("/tmp/sluice-test-ports.\(getuid())", O_CREAT | O_RDWR | O_CLOEXEC, 0o666)

  static func pick(_ count: Int) throws -> [Int] {
    var found: Set<Int> = []
    for _ in 0..<10_000 where found.count < count {
      let port = Int.random(in: 12_000..<32_000)
      if isFree(port), claim(port) { found.insert(port) }
    }
    guard found.count == count else { throw Shell.Failed(description: "no \(count) free ports") }
    return Array(found)
  }

  private static func claim(_ port: Int) -> Bool {
    guard picked.withLockedValue({ $0.insert(port).inserted }) else { return false }
    var byte = flock()
    byte.l_type = Int16(F_WRLCK)
    byte.l_whence = Int16(SEEK_SET)
    byte.l_start = off_t(port)
    byte.l_len = 1
    return fcntl(claims, F_SETLK, &byte) == 0
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
