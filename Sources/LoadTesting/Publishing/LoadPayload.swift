import NIOCore

/// What a load test publishes: `{"due":T,"number":N,"text":"…"}`. T is when it was due, in microseconds of this
/// machine's monotonic clock, so that any process on it can say how late it came.
struct LoadPayload {
  /// Bytes that time and number take at the most, in JSON.
  static let smallest = 64

  private static let prefix: StaticString = #"{"due":"#
  private let filler: ByteBuffer
  private let size: Int

  /// - Parameter size: of each, in bytes.
  init(size: Int, using random: inout SeededRandom) {
    self.size = size
    let letters = Array("abcdefghijklmnopqrstuvwxyz     ".utf8)
    filler = ByteBuffer(bytes: (0..<size).map { _ in letters.randomElement(using: &random)! })
  }

  func data(due: NIODeadline, number: Int) -> ByteBuffer {
    var data = ByteBuffer()
    data.reserveCapacity(size)
    data.writeStaticString(LoadPayload.prefix)
    data.writeString("\(due.uptimeNanoseconds / 1_000),\"number\":\(number),\"text\":\"")
    let rest = max(0, size - data.readableBytes - 2)
    if let part = filler.getSlice(at: filler.readerIndex, length: min(rest, filler.readableBytes)) {
      data.writeImmutableBuffer(part)
    }
    data.writeStaticString("\"}")
    return data
  }

  /// When it was due, in microseconds; nil for what is none of these.
  static func due(of data: UnsafeRawBufferPointer) -> Int? {
    let start = prefix.utf8CodeUnitCount
    guard data.count > start, data[start - 1] == UInt8(ascii: ":"), data[1] == UInt8(ascii: "\"") else {
      return nil
    }
    var due = 0
    var index = start
    while index < data.count, index < start + 18, case let digit = data[index] &- 0x30, digit < 10 {
      due = due * 10 + Int(digit)
      index += 1
    }
    return index > start ? due : nil
  }
}

extension NIODeadline {
  /// Microseconds of the monotonic clock.
  var microseconds: Int { Int(uptimeNanoseconds / 1_000) }
}
