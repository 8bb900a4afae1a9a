import NIOCore

#if canImport(Glibc)
  import Glibc
#endif

/// One instruction of a socket filter and a program of them, as `linux/filter.h` has them.
private struct FilterInstruction {
  var code: UInt16
  var ifTrue: UInt8 = 0
  var ifFalse: UInt8 = 0
  var constant: UInt32
}

private struct FilterProgram {
  var count: UInt16
  var instructions: UnsafeMutablePointer<FilterInstruction>
}

extension RawConnection {
  /// SO_ATTACH_FILTER of socket(7).
  private static let attachFilter: Int32 = 26

  /// The other end is as if its cable had been pulled: nothing that is sent to it arrives any more, nothing is
  /// acknowledged, and nobody is told. Its kernel drops what comes before TCP sees it.
  func vanish() async throws {
    let failure = try await channel.eventLoop.submit { [channel] in
      try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
        of: NIOBSDSocket.Handle.self,
        RawConnection.cutOff
      )
    }.get()
    guard let failure, failure == 0 else { throw NotCutOff(code: failure) }
  }

  /// Answers what the system says to it; 0 is good.
  private static func cutOff(_ socket: NIOBSDSocket.Handle) -> Int32 {
    // BPF_RET | BPF_K: so many bytes of each segment are taken.
    var nothing = FilterInstruction(code: 0x06, constant: 0)
    return withUnsafeMutablePointer(to: &nothing) { instructions in
      var program = FilterProgram(count: 1, instructions: instructions)
      let size = socklen_t(MemoryLayout<FilterProgram>.size)
      return setsockopt(socket, SOL_SOCKET, attachFilter, &program, size) == 0 ? 0 : errno
    }
  }
}

/// A socket has not got its filter.
private struct NotCutOff: Error {
  /// Of the system; nil where there is no socket.
  let code: Int32?
}
