#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#else
  private import Darwin
#endif

/// Reads small files.
enum TextFile {
  /// Larger files are refused: nothing that a node is set up with comes near.
  static let limit = 1_048_576

  struct Failure: Error, CustomStringConvertible {
    let description: String

    fileprivate init(_ description: String) {
      self.description = description
    }

    /// The last system call's.
    fileprivate static var last: Failure { Failure(String(cString: strerror(errno))) }
  }

  static func read(_ path: String) throws(Failure) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .last }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while bytes.count <= limit {
      let count = Self.read(descriptor, &piece)
      if count < 0 { throw .last }
      if count == 0 { return bytes }
      bytes += piece[..<count]
    }
    throw Failure("it is larger than \(SizeText.write(limit))")
  }

  private static func read(_ descriptor: Int32, _ piece: inout [UInt8]) -> Int {
    #if canImport(Glibc)
      Glibc.read(descriptor, &piece, piece.count)
    #elseif canImport(Musl)
      Musl.read(descriptor, &piece, piece.count)
    #else
      Darwin.read(descriptor, &piece, piece.count)
    #endif
  }
}
