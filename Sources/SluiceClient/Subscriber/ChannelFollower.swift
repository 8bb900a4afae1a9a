public import Wire

/// One channel of one subscriber over all its connections: where it stands, and what of two connections that
/// overlap is news.
///
/// At any time one connection, a leg, is the channel's source: the last that was subscribed. What another still
/// brings is passed over, and what the new one repeats because it asked before the old one was done.
public struct ChannelFollower {
  /// What was seen last over all legs; nil until the first subscription is answered.
  public private(set) var position: Cursor?
  public private(set) var track: ChannelTrack
  /// Messages that two overlapping connections both brought.
  public private(set) var overlapping = 0
  private var source = -1
  private var sourcePosition: Cursor?

  public init(channel: ChannelName) {
    track = ChannelTrack(channel: channel)
  }

  public var channel: ChannelName { track.channel }

  /// A leg is subscribed, and is the source from now on.
  /// - Parameters:
  ///   - cursor: where it says that it goes on; nil in an ephemeral channel.
  ///   - asked: the position that was given to it.
  public mutating func subscribed(leg: Int, at cursor: Cursor?, resumed: Bool, asked: Cursor?) {
    source = leg
    if let asked {
      track.record(position == nil ? .started(at: asked) : .resumed(from: asked))
      if resumed, let cursor, cursor != asked {
        track.record(.misplaced(asked: asked, answered: cursor))
      }
      sourcePosition = asked
      if position == nil { position = asked }
    } else if let cursor {
      track.record(position.map { .resumed(from: $0) } ?? .started(at: cursor))
      sourcePosition = cursor
      if position == nil { position = cursor }
    }
  }

  /// A message came. False when it is no news.
  /// - Parameter identity: nil where a witness keeps it.
  public mutating func message(leg: Int, _ cursor: Cursor, _ identity: PayloadIdentity?) -> Bool {
    guard leg == source else { return false }
    if let before = sourcePosition, let position, before.epoch == cursor.epoch,
      before.offset + 1 == cursor.offset, position.epoch == cursor.epoch, cursor.offset <= position.offset
    {
      sourcePosition = cursor
      overlapping += 1
      return false
    }
    track.record(cursor, identity)
    sourcePosition = cursor
    if let position, position.epoch == cursor.epoch, position.offset > cursor.offset { return true }
    position = cursor
    return true
  }

  /// A witness had seen another payload there.
  public mutating func differed(at cursor: Cursor) {
    track.record(.differed(at: cursor))
  }

  /// A gap was announced. False when the other leg has gone past it already.
  public mutating func gap(leg: Int, _ gap: Gap) -> Bool {
    guard leg == source else { return false }
    sourcePosition = gap.to
    if let position, gap.from != position, gap.to.epoch == position.epoch, gap.to.offset <= position.offset {
      overlapping += 1
      return false
    }
    track.record(.gap(gap))
    position = gap.to
    return true
  }

  /// A poll's answer, all its events taken, says that the next one goes on from here.
  public mutating func answered(leg: Int, at cursor: Cursor) {
    guard leg == source, sourcePosition != cursor else { return }
    if let sourcePosition { track.record(.misplaced(asked: sourcePosition, answered: cursor)) }
    sourcePosition = cursor
    if position == nil {
      track.record(.started(at: cursor))
      position = cursor
    }
  }

  /// The subscriber leaves of its own will.
  public mutating func stopped() {
    track.record(.stopped)
    source = -1
  }
}
