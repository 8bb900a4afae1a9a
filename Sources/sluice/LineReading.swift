import Foundation
import LoadTesting

extension FileHandle {
  /// Reads lines on a thread of its own, until there are no more.
  /// - Parameters:
  ///   - take: each line, without its end.
  ///   - end: the other side is closed.
  func readLines(_ take: @escaping @Sendable (Data) -> Void, end: @escaping @Sendable () -> Void) {
    Thread.detachNewThread { [self] in
      var cutter = LineCutter()
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        let count = readSome(fileDescriptor, into: &buffer)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return end() }
        for line in cutter.cut(Data(buffer[..<count])) { take(line) }
      }
    }
  }
}

/// Out of sight of the methods that are called the same.
private func readSome(_ descriptor: Int32, into buffer: inout [UInt8]) -> Int {
  read(descriptor, &buffer, buffer.count)
}
