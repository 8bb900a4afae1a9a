import NIOCore
import Wire

extension ResilientSubscriber {
  /// Takes a message by the short way. False when it needs the long one.
  func glance(at text: ByteBuffer, on leg: SubscriberLeg) -> Bool {
    guard onEvent == nil else { return false }
    return text.withUnsafeReadableBytes { bytes in
      guard let glance = MessageGlance(bytes), let index = index(of: bytes, glance.channel) else {
        return false
      }
      guard let epoch = followed[index].follower.position?.epoch, epoch.bytes == glance.epoch else {
        return false
      }
      let data = UnsafeRawBufferPointer(rebasing: bytes[glance.data])
      _ = message(Cursor(epoch, glance.offset), data, of: index, on: leg)
      return true
    }
  }

  /// Follows a message. False when it is no news.
  private func message(
    _ cursor: Cursor,
    _ data: UnsafeRawBufferPointer,
    of index: Int,
    on leg: SubscriberLeg
  ) -> Bool {
    let witness = followed[index].witness
    let identity = witness == nil ? PayloadIdentity(data) : nil
    guard followed[index].follower.message(leg: leg.serial, cursor, identity) else { return false }
    if let witness, !witness.saw(cursor, data) { followed[index].follower.differed(at: cursor) }
    received += 1
    return true
  }

  /// Reads one event and does what it asks. False when it is not an event.
  func take(_ text: ByteBuffer, on leg: SubscriberLeg) -> ServerEvent? {
    guard !leg.hasEnded, isWanted(text, on: leg) else { return nil }
    do throws(ServerEventError) {
      let event = try ServerEvent(parsing: text)
      if isNews(event, on: leg) { onEvent?(event) }
      return event
    } catch {
      complaints.append("not an event: \(error): \(String(buffer: text).prefix(200))")
      return nil
    }
  }

  /// A connection that is paused and ends brings what the kernel still held. It is let go instead: what was not taken
  /// comes again.
  private func isWanted(_ text: ByteBuffer, on leg: SubscriberLeg) -> Bool {
    guard isPaused, leg.transport == .webSocket || leg.transport == .eventStream else { return true }
    leg.takenWhilePaused += text.readableBytes
    guard leg.takenWhilePaused > SubscriberLeg.mostWhilePaused else { return true }
    ended(leg, LegEnd("let go while it was paused", .again(.zero)))
    return false
  }

  private func isNews(_ event: ServerEvent, on leg: SubscriberLeg) -> Bool {
    switch event {
    case .welcome(let session, let node, _, _):
      connections[leg.serial].node = node
      self.session = session.secret
    case .message(let channel, let cursor, let data, _, _):
      guard let index = index(of: channel) else {
        complain("a message of \(channel)", on: leg)
        return false
      }
      if let cursor {
        return data.withUnsafeReadableBytes { message(cursor, $0, of: index, on: leg) }
      }
      guard leg === current else { return false }
      received += 1
    case .gap(let channel, let gap):
      guard let index = index(of: channel) else {
        complain("a gap of \(channel)", on: leg)
        return false
      }
      return followed[index].follower.gap(leg: leg.serial, gap)
    case .join(let channel, _), .leave(let channel, _):
      return leg === current && index(of: channel) != nil
    default: break
    }
    return true
  }

  /// What comes for a channel that was followed until a moment ago is no fault.
  private func complain(_ what: String, on leg: SubscriberLeg) {
    if revision == 0 { complaints.append("\(what), which was not asked for") }
  }

  /// The place of the channel whose name stands at `range`.
  private func index(of text: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
    var index = 0
    while index < channelBytes.count {
      let name = channelBytes[index]
      let isSame =
        followed[index].isActive && name.count == range.count
        && name.withUnsafeBytes { text.holds($0, at: range.lowerBound) }
      if isSame { return index }
      index += 1
    }
    return nil
  }
}
