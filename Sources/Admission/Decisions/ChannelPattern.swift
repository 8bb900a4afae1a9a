public import Wire

/// Names of channels: a name, or one with `*` in it for any run of characters, the empty one included.
public struct ChannelPattern: Sendable, Equatable {
  public let text: String
  private let pieces: [[UInt8]]

  /// Nil when no channel can have such a name.
  public init?(_ text: String) {
    guard !text.isEmpty, ChannelName(text.replacing("*", with: "a")) != nil else { return nil }
    self.text = text
    pieces = text.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
  }

  public func matches(_ channel: ChannelName) -> Bool {
    let name = Array(channel.text.utf8)
    guard pieces.count > 1 else { return name == pieces[0] }
    let first = pieces[0]
    let last = pieces[pieces.count - 1]
    guard name.count >= first.count + last.count, name.starts(with: first),
      name.suffix(last.count).elementsEqual(last)
    else { return false }
    var rest = name[first.count..<(name.count - last.count)]
    for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
      guard let start = rest.indices.first(where: { rest[$0...].starts(with: piece) }) else { return false }
      rest = rest[(start + piece.count)...]
    }
    return true
  }
}
