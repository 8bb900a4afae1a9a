import Framing
import NIOCore
import Telemetry
public import Wire

/// Writing in each connection's representation.
extension DeliveryShard {
  /// Writes what a segment holds after `offset`, and moves the cursor to the last message written: the segment's last, but
  /// for a stream of several channels.
  func write(_ segment: Segment, after offset: UInt64, to subscription: Subscription) -> UInt64 {
    let subscriber = subscription.subscriber
    var last = segment.last
    switch subscriber.representation {
    case .webSocket:
      if let bits = subscriber.windowBits, segment.largest >= settings.compressAbove {
        subscriber.write(segment.compressed(after: offset, bits, &compression))
      } else {
        subscriber.write(segment.frames(after: offset))
      }
    case .eventStream(let isChunked):
      if subscriber.isComposite {
        last = writeComposite(segment, after: offset, to: subscriber, isChunked: isChunked)
      } else {
        subscriber.write(segment.events(after: offset))
      }
    case .poll:
      for index in segment.entries.indices where segment.first + UInt64(index) > offset {
        subscriber.collect(segment.json(index))
      }
    }
    if subscription.state != .live { subscription.stored = Cursor(segment.epoch, last) }
    touch(subscriber)
    return last
  }

  /// Writes a new segment to a subscriber that has all before it: in most cases it is with the socket at once.
  /// The last offset written when there is more, or the connection may be full; nil else.
  func deliver(_ segment: Segment, to subscription: Subscription) -> UInt64? {
    let subscriber = subscription.subscriber
    guard isLoneDelivery || subscriber.isSingle else { return writeAll(segment, to: subscription) }
    let passage =
      switch subscriber.representation {
      case .webSocket:
        if let bits = subscriber.windowBits, segment.largest >= settings.compressAbove {
          subscriber.sendAtOnce(segment.compressed(after: segment.first - 1, bits, &compression))
        } else {
          subscriber.sendAtOnce(segment.frames)
        }
      case .eventStream where !subscriber.isComposite:
        subscriber.sendAtOnce(segment.events(after: segment.first - 1))
      case .eventStream, .poll: Subscriber.Passage.refused
      }
    switch passage {
    case .complete: return nil
    case .begun:
      touch(subscriber)
      return hasRoom(subscriber) ? nil : segment.last
    case .refused: return writeAll(segment, to: subscription)
    }
  }

  private func writeAll(_ segment: Segment, to subscription: Subscription) -> UInt64? {
    let last = write(segment, after: segment.first - 1, to: subscription)
    return last == segment.last && hasRoom(subscription.subscriber) ? nil : last
  }

  /// Each event of a stream of several channels names its place in all of them, which makes much of little: the last
  /// offset written is the one at which there was enough.
  private func writeComposite(
    _ segment: Segment,
    after offset: UInt64,
    to subscriber: Subscriber,
    isChunked: Bool
  ) -> UInt64 {
    var bytes = ByteBuffer()
    var last = offset
    for index in segment.entries.indices where segment.first + UInt64(index) > offset {
      guard bytes.readableBytes < settings.turnBytes else { break }
      last = segment.first + UInt64(index)
      subscriber.positions[segment.channel] = segment.cursor(index)
      let id = subscriber.positions.description
      let json = segment.json(index)
      if isChunked {
        ChunkedBody.write(into: &bytes) { EventStreamEncoder.write(id: id, data: json, into: &$0) }
      } else {
        EventStreamEncoder.write(id: id, data: json, into: &bytes)
      }
    }
    subscriber.write(bytes)
    return last
  }

  /// Writes one event; every named event of a stream carries its cursor set.
  func write(_ event: ServerEvent, to subscriber: Subscriber) {
    scratch.clear()
    event.write(into: &scratch)
    var bytes = ByteBuffer()
    switch subscriber.representation {
    case .webSocket:
      if let bits = subscriber.windowBits, scratch.readableBytes >= settings.compressAbove {
        compression.write(scratch, bits, into: &bytes)
      } else {
        WebSocketFrame.write(.text, payload: scratch, into: &bytes)
      }
    case .eventStream(let isChunked):
      let name: StaticString? = if case .message = event { nil } else { event.name }
      let id = positions(of: subscriber).description
      if isChunked {
        ChunkedBody.write(into: &bytes) { write(name, id, scratch, into: &$0) }
      } else {
        write(name, id, scratch, into: &bytes)
      }
    case .poll:
      subscriber.collect(scratch)
      return touch(subscriber)
    }
    subscriber.write(bytes)
    touch(subscriber)
  }

  private func write(_ name: StaticString?, _ id: String, _ json: ByteBuffer, into bytes: inout ByteBuffer) {
    if id.isEmpty {
      EventStreamEncoder.write(name: name, data: json, into: &bytes)
    } else {
      EventStreamEncoder.write(name: name, id: id, data: json, into: &bytes)
    }
  }

  /// Where a subscriber stands in all its channels; before a gap that it has not been told yet.
  public func positions(of subscriber: Subscriber) -> CursorSet {
    var positions = CursorSet()
    for subscription in subscriber.subscriptions {
      positions[subscription.log.channel] = subscription.openingGap?.from ?? subscription.cursor
    }
    return positions
  }
}
