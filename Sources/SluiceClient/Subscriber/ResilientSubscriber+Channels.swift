import NIOCore
public import Wire

extension ResilientSubscriber {
  /// Follows one more channel: on a WebSocket beside the others, on an event stream or polls by ones that
  /// carry it too.
  /// - Returns: false when it is followed already.
  @discardableResult
  public func follow(_ channel: ChannelName, since: Since? = nil, presence: PresenceWish? = nil) -> Bool {
    guard index(of: channel) == nil else { return false }
    lastSerial += 1
    let new = FollowedChannel(channel, serial: lastSerial, since: since, presence: presence)
    let place = followed.firstIndex { !$0.isActive } ?? followed.count
    if place < followed.count {
      followed[place] = new
      channelBytes[place] = ContiguousArray(channel.text.utf8)
    } else {
      followed.append(new)
      channelBytes.append(ContiguousArray(channel.text.utf8))
    }
    changed { leg in self.subscribe(place, on: leg) }
    return true
  }

  /// Follows it no more. Its track stays in the journal until another channel takes its place.
  public func unfollow(_ channel: ChannelName) {
    guard let place = index(of: channel) else { return }
    followed[place].isActive = false
    followed[place].follower.stopped()
    changed { leg in
      for (id, asked) in leg.requests where asked == place { leg.requests[id] = -1 }
      leg.lastRequest += 1
      leg.socket?.send(ClientRequest(id: leg.lastRequest, .unsubscribe(channel: channel)))
    }
  }

  /// Brings every connection up to date: a WebSocket by `update`, the others by successors.
  private func changed(_ update: (SubscriberLeg) -> Void) {
    revision += 1
    guard isStarted, !isStopped, givenUp == nil else { return }
    for leg in [current, successor].compactMap({ $0 }) where leg.transport == .webSocket {
      leg.revision = revision
      if leg.unanswered != nil { update(leg) }
    }
    guard !isReplacing else { return }
    isReplacing = true
    // Several changes of one turn are one.
    loop.assumeIsolated().execute {
      self.isReplacing = false
      self.replaceOutdated()
    }
  }

  private func replaceOutdated() {
    guard !isStopped, givenUp == nil else { return }
    guard let current else {
      if dial == nil { dialNow() }
      return
    }
    guard current.revision != revision, current.isReady, successor == nil else { return }
    current.isToBeReplaced = true
    dial?.cancel()
    dial = nil
    dialNow()
  }

  /// The place of a channel that is followed.
  func index(of channel: ChannelName) -> Int? {
    followed.firstIndex { $0.isActive && $0.channel == channel }
  }

  /// A node's answer that a channel cannot be subscribed.
  func refused(_ place: Int, _ error: ClientError) {
    guard let onRefused else { return complaints.append("\(error.code.rawValue): \(error.message)") }
    let channel = followed[place].channel
    followed[place].isActive = false
    followed[place].follower.stopped()
    onRefused(channel, error)
  }
}
