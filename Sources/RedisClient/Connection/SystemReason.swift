import NIOCore
private import NIOPosix

#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#else
  private import Darwin
#endif

/// What the operating system says, without what the network library adds.
public enum SystemReason {
  public static func text(of error: any Error) -> String {
    switch error {
    case let error as IOError: return unsafe String(cString: strerror(error.errnoCode))
    case let error as NIOConnectionError:
      if let cause = error.connectionErrors.last?.error { return text(of: cause) }
      return "the name \(error.host) is not known"
    case ChannelError.connectTimeout: return "no answer"
    default: return "\(error)"
    }
  }
}
