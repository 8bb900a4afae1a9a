/// A `message` event read just as far as it takes to follow a channel, without a scanner: a process that is
/// thousands of subscribers spends its time here.
///
/// It knows the order in which nodes write the members and is nil for whatever looks different, which then
/// takes the long way.
struct MessageGlance {
  let channel: Range<Int>
  /// The eight bytes of the cursor's epoch, not validated.
  let epoch: UInt64
  let offset: UInt64
  let data: Range<Int>

  init?(_ text: UnsafeRawBufferPointer) {
    let prefix: StaticString = #"{"type":"message","channel":""#
    guard text.holds(prefix, at: 0) else { return nil }
    let start = prefix.utf8CodeUnitCount
    let cursorName: StaticString = #"","cursor":""#
    guard let quote = text.offset(of: UInt8(ascii: "\""), from: start), text.holds(cursorName, at: quote)
    else { return nil }
    channel = start..<quote
    var at = quote + cursorName.utf8CodeUnitCount
    guard at + 9 < text.count, text[at + 8] == UInt8(ascii: ".") else { return nil }
    epoch = UInt64(bigEndian: text.loadUnaligned(fromByteOffset: at, as: UInt64.self))
    at += 9
    var offset: UInt64 = 0
    let digitsStart = at
    while at < text.count, case let digit = text[at] &- 0x30, digit < 10, at - digitsStart < 16 {
      offset = offset * 10 + UInt64(digit)
      at += 1
    }
    self.offset = offset
    let dataName: StaticString = #"","data":"#
    guard text.holds(dataName, at: at) else { return nil }
    guard let end = MessageGlance.endOfData(in: text) else { return nil }
    let dataStart = at + dataName.utf8CodeUnitCount
    // Before the time stands the data, or a user: only what ends in no quote is data for certain.
    guard end > dataStart, text[end - 1] != UInt8(ascii: "\"") else { return nil }
    data = dataStart..<end
  }

  /// Where `,"time":…}` begins at the end of the text.
  private static func endOfData(in text: UnsafeRawBufferPointer) -> Int? {
    let name: StaticString = #","time":"#
    var at = text.count - 1
    guard at > 0, text[at] == UInt8(ascii: "}") else { return nil }
    at -= 1
    while at > 0, text[at] &- 0x30 < 10 { at -= 1 }
    let start = at + 1 - name.utf8CodeUnitCount
    return text.holds(name, at: start) ? start : nil
  }
}
