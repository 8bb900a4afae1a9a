/// A position in several channels at once: `channel@epoch.offset`, comma-separated, channels sorted bytewise.
public struct CursorSet: Hashable, Sendable, CustomStringConvertible {
  /// More names than this in one set is malformed.
  public static let maximumCount = 1_000

  /// Sorted by channel, each once.
  public private(set) var positions: [(channel: ChannelName, cursor: Cursor)]

  public init() {
    positions = []
  }

  /// Nil when the text is malformed or names a channel twice. Any order is accepted.
  public init?(_ text: some StringProtocol) {
    self.init()
    for part in Substring(text).utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
      guard let at = part.firstIndex(of: UInt8(ascii: "@")),
        let channel = ChannelName(Substring(part[..<at])),
        let cursor = Cursor(Substring(part[at...].dropFirst())), positions.count < CursorSet.maximumCount
      else { return nil }
      positions.append((channel, cursor))
    }
    guard positions.count > 1 else { return }
    positions.sort { $0.channel < $1.channel }
    guard zip(positions, positions.dropFirst()).allSatisfy({ $0.channel != $1.channel }) else { return nil }
  }

  /// The position in one channel; nil where the set does not name it.
  public subscript(channel: ChannelName) -> Cursor? {
    get {
      let index = insertionIndex(of: channel)
      return index < positions.count && positions[index].channel == channel ? positions[index].cursor : nil
    }
    set {
      let index = insertionIndex(of: channel)
      let found = index < positions.count && positions[index].channel == channel
      switch (newValue, found) {
      case (let cursor?, true): positions[index].cursor = cursor
      case (let cursor?, false): positions.insert((channel, cursor), at: index)
      case (nil, true): positions.remove(at: index)
      case (nil, false): break
      }
    }
  }

  public var isEmpty: Bool { positions.isEmpty }

  public var description: String {
    positions.map { "\($0.channel.text)@\($0.cursor)" }.joined(separator: ",")
  }

  public static func == (left: CursorSet, right: CursorSet) -> Bool {
    left.positions.elementsEqual(right.positions) { $0 == $1 }
  }

  public func hash(into hasher: inout Hasher) {
    for position in positions {
      hasher.combine(position.channel)
      hasher.combine(position.cursor)
    }
  }

  private func insertionIndex(of channel: ChannelName) -> Int {
    var low = 0
    var high = positions.count
    while low < high {
      let middle = (low + high) / 2
      if positions[middle].channel < channel { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
