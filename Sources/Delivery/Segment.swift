import Framing
import NIOCore
import Wire

/// A run of contiguous messages of one channel, encoded once for every representation that is asked for.
///
/// Subscribers at the same position need the same bytes: a segment, or the end of one, is one buffer and one
/// write to each of them.
final class Segment {
  struct Entry {
    var time: Int64
    /// Where the message's JSON stands in `frames`, as offsets from its start; its frame ends with it.
    var json: Range<Int>
    /// Where its event ends in `events`, once they are encoded.
    var eventEnd = 0
  }

  let channel: ChannelName
  let epoch: Epoch
  /// The offset of the first message.
  let first: UInt64
  /// WebSocket text frames, one after another.
  let frames: ByteBuffer
  private(set) var entries: [Entry]
  private var events: ByteBuffer?
  /// One for each size of window that was asked for.
  private var compressed: [CompressedFrames] = []
  /// The size of the largest message's JSON, in bytes.
  let largest: Int

  /// `messages` are contiguous and not empty. `scratch` is room to work in.
  init(_ channel: ChannelName, _ messages: some Collection<Message>, scratch: inout ByteBuffer) {
    self.channel = channel
    epoch = messages.first!.cursor.epoch
    first = messages.first!.cursor.offset
    var frames = ByteBuffer()
    var entries: [Entry] = []
    var largest = 0
    entries.reserveCapacity(messages.count)
    for message in messages {
      scratch.clear()
      ServerEvent.message(
        channel: channel,
        cursor: message.cursor,
        data: message.data,
        user: message.user,
        time: message.time
      ).write(into: &scratch)
      WebSocketFrame.write(.text, payload: scratch, into: &frames)
      let end = frames.writerIndex
      largest = max(largest, scratch.readableBytes)
      entries.append(Entry(time: message.time, json: end - scratch.readableBytes..<end))
    }
    self.frames = frames
    self.largest = largest
    self.entries = entries
  }

  var last: UInt64 { first + UInt64(entries.count) - 1 }

  /// What it costs in memory without events, in bytes.
  var weight: Int { frames.readableBytes + entries.count * 40 + 160 }

  /// Nobody is at the end of this segment any more: who comes by later has the rest encoded anew.
  func forgetEvents() {
    events = nil
    compressed = []
  }

  func cursor(_ index: Int) -> Cursor { Cursor(epoch, first + UInt64(index)) }

  /// One message's JSON object.
  func json(_ index: Int) -> ByteBuffer {
    frames.getSlice(at: entries[index].json.lowerBound, length: entries[index].json.count)!
  }

  /// The frames of what follows `offset`.
  func frames(after offset: UInt64) -> ByteBuffer {
    guard offset >= first else { return frames }
    let start = entries[Int(offset - first)].json.upperBound
    return frames.getSlice(at: start, length: frames.writerIndex - start)!
  }

  /// The same, compressed for a window where that is worth it.
  func compressed(after offset: UInt64, _ windowBits: Int, _ compression: inout Compression) -> ByteBuffer {
    let all = compressedFrames(windowBits, &compression)
    guard offset >= first else { return all.frames }
    let start = all.ends[Int(offset - first)]
    return all.frames.getSlice(at: start, length: all.frames.writerIndex - start)!
  }

  private func compressedFrames(_ windowBits: Int, _ compression: inout Compression) -> CompressedFrames {
    if let known = compressed.first(where: { $0.windowBits == windowBits }) { return known }
    var encoded = CompressedFrames(windowBits: windowBits)
    encoded.ends.reserveCapacity(entries.count)
    for index in entries.indices {
      let json = json(index)
      if json.readableBytes >= compression.above {
        compression.write(json, windowBits, into: &encoded.frames)
      } else {
        WebSocketFrame.write(.text, payload: json, into: &encoded.frames)
      }
      encoded.ends.append(encoded.frames.writerIndex)
    }
    compressed.append(encoded)
    return encoded
  }

  /// The events of what follows `offset`, for a stream of this channel alone: a chunk each, its id the
  /// stream's whole cursor set.
  func events(after offset: UInt64) -> ByteBuffer {
    let events = encodedEvents()
    guard offset >= first else { return events }
    let start = entries[Int(offset - first)].eventEnd
    return events.getSlice(at: start, length: events.writerIndex - start)!
  }

  private func encodedEvents() -> ByteBuffer {
    if let events { return events }
    var encoded = ByteBuffer()
    encoded.reserveCapacity(frames.readableBytes + entries.count * (channel.text.utf8.count + 64))
    var id = ByteBuffer()
    for index in entries.indices {
      id.clear()
      id.writePosition(channel, cursor(index))
      let json = json(index)
      ChunkedBody.write(into: &encoded) { EventStreamEncoder.write(id: id, data: json, into: &$0) }
      entries[index].eventEnd = encoded.writerIndex
    }
    events = encoded
    return encoded
  }
}

@available(*, unavailable) extension Segment: Sendable {}
