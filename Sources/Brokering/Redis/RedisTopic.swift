import NIOCore
import Wire

/// One channel's feed, as the core has it.
final class RedisTopic {
  let channel: ChannelName
  let name: String
  /// Which ports are attached, by their index.
  var ports: [Int] = []
  /// Whether it is noted that somebody is attached.
  var isOccupied = false
  /// Attaches that wait for the subscription, and until when.
  var waiting: [(port: Int, deadline: NIODeadline, answer: RedisReturn<Void>)] = []
  /// When the subscription is to end, while nobody is attached.
  var lingersUntil: NIODeadline?
  /// What the batch at hand has brought.
  var items: [FeedItem] = []
  /// Who is present, while somebody on this node hears joins and leaves.
  var roster: RedisPresenceRoster?

  init(_ channel: ChannelName) {
    self.channel = channel
    self.name = RedisKeys.feed(channel)
  }
}
