import Wire

/// A channel as a subscriber asks for it.
struct FollowedChannel {
  var follower: ChannelFollower
  /// No other has it, not even a later one of the same channel in the same place.
  let serial: Int
  let since: Since?
  let presence: PresenceWish?
  var witness: (any DeliveryWitness)?
  /// False once it is followed no more: its place is free.
  var isActive = true

  init(_ channel: ChannelName, serial: Int, since: Since?, presence: PresenceWish?) {
    self.serial = serial
    follower = ChannelFollower(channel: channel)
    self.since = since
    self.presence = presence
  }

  var channel: ChannelName { follower.channel }

  /// The position that a new connection is given.
  var asked: Cursor? {
    if let position = follower.position { return position }
    return if case .cursor(let cursor) = since { cursor } else { nil }
  }

  /// What a new connection is asked for.
  var sinceNow: Since? { follower.position.map(Since.cursor) ?? since }
}

/// Channels that one event stream, or one series of polls, can carry: what they want of presence holds for all of
/// them, and `start` too.
struct LegPart {
  /// The channels' places, and who was there when the part was made.
  var places: [(place: Int, serial: Int)]
  let presence: PresenceWish?
  let isFromStart: Bool
}

extension ResilientSubscriber {
  /// The channels, in as few parts as can be.
  var parts: [LegPart] {
    var parts: [LegPart] = []
    for place in followed.indices where followed[place].isActive {
      let channel = followed[place]
      let isFromStart = channel.sinceNow == .start
      let found = parts.firstIndex { $0.presence == channel.presence && $0.isFromStart == isFromStart }
      if let found {
        parts[found].places.append((place, channel.serial))
      } else {
        parts.append(
          LegPart(places: [(place, channel.serial)], presence: channel.presence, isFromStart: isFromStart)
        )
      }
    }
    return parts
  }

  /// What a stream or a poll of this part is asked for.
  func since(of part: LegPart) -> SinceSet? {
    if part.isFromStart { return .start }
    var set = CursorSet()
    for (place, _) in part.places { set[followed[place].channel] = followed[place].asked }
    return set.isEmpty ? nil : .positions(set)
  }

  func channels(of part: LegPart) -> [ChannelName] {
    part.places.map { followed[$0.place].channel }
  }

  /// The places of what is still followed.
  func placesFollowed(of part: LegPart) -> [Int] {
    part.places.compactMap { place, serial in
      followed[place].isActive && followed[place].serial == serial ? place : nil
    }
  }
}
