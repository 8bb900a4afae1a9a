import Foundation

/// The input that is being tried, in a file: what a process that was ended by it leaves behind.
struct InputAtHand: ~Copyable {
  private let bytes: UnsafeMutableRawBufferPointer
  let path: String

  /// - Parameter longest: bytes of an input, at the most.
  init(path: String, longest: Int) throws {
    self.path = path
    let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o644)
    guard descriptor >= 0 else { throw Broken(description: "\(path) cannot be written") }
    defer { close(descriptor) }
    let size = longest * 4 + 1
    guard ftruncate(descriptor, off_t(size)) == 0,
      let start = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), start != MAP_FAILED
    else { throw Broken(description: "\(path) cannot be mapped") }
    bytes = UnsafeMutableRawBufferPointer(start: start, count: size)
  }

  deinit {
    munmap(bytes.baseAddress, bytes.count)
    unlink(path)
  }

  /// Notes the input as a corpus has it, padded with line feeds.
  mutating func note(_ input: [UInt8]) {
    let line = Corpus.line(input).utf8.prefix(bytes.count)
    bytes.copyBytes(from: line)
    for index in line.count..<bytes.count where bytes[index] != 0x0a { bytes[index] = 0x0a }
  }
}
