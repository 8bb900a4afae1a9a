import NIOCore
import NIOPosix

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Why there is no TCP connection, as a person says it.
enum ConnectFailure {
  static func reason(_ error: any Error) -> String {
    switch error {
    case let error as IOError: String(cString: strerror(error.errnoCode))
    case let error as NIOConnectionError:
      error.connectionErrors.first.map { reason($0.error) } ?? "there is no host named \(error.host)"
    case ChannelError.connectTimeout(let time): "no connection within \(time.nanoseconds / 1_000_000) ms"
    default: "\(error)"
    }
  }
}
