import Brokering
import Counting
import Delivery
import NIOCore
import Transports
import Wire

/// Messages as the feed brings them, to subscribers over real sockets.
struct Deliveries {
  static let messages = 48
  static let small = 40
  static let large = 120

  let gateway: Gateway
  let channel: ChannelName
  /// Who is counted, and one more: who was there first.
  private var clients: [Client] = []
  private var last: Cursor

  /// Follows a channel, so that its position is known.
  init(_ gateway: Gateway, _ name: String) {
    self.gateway = gateway
    channel = ChannelName(name)!
    let (first, cursor) = gateway.webSocket(name)
    clients = [first]
    last = Cursor(cursor)!
  }

  /// Counts one message after another, and messages that come together, to fewer and to more subscribers.
  static func count(_ name: String, _ gateway: Gateway, subscriber: (String) -> Client) async throws {
    var deliveries = Deliveries(gateway, "\(name):a")
    for subscribers in [small, large] {
      while deliveries.clients.count <= subscribers { deliveries.clients.append(subscriber("\(name):a")) }
      // What grows once has grown by then.
      try await deliveries.send(together: 1, nil)
      try await deliveries.send(together: 8, nil)
      for _ in 0..<Count.times {
        try await deliveries.send(together: 1, count(name, subscribers))
        try await deliveries.send(together: 8, count("\(name)-joined", subscribers))
      }
    }
  }

  private static func count(_ name: String, _ subscribers: Int) -> Count {
    Count(name: name, operations: subscribers * messages, repeats: messages)
  }

  /// Gives the messages to the shard in batches, and reads the sockets empty afterwards.
  private mutating func send(together: Int, _ count: Count?) async throws {
    let data = ByteBuffer(string: "\"" + String(repeating: "x", count: 126) + "\"")
    let items = (1...Deliveries.messages).map {
      FeedItem.message(
        Message(
          cursor: Cursor(last.epoch, last.offset + UInt64($0)),
          data: data,
          user: nil,
          time: 1_790_000_000_000
        )
      )
    }
    last = Cursor(last.epoch, last.offset + UInt64(items.count))
    let batches = stride(from: 0, to: items.count, by: together).map {
      [FeedDelivery(channel: channel, items: Array(items[$0..<$0 + together]))]
    }
    try await gateway.onLoop { worker in
      guard let count else { return batches.forEach(worker.shard.feedArrived) }
      count.run { for batch in batches { worker.shard.feedArrived(batch) } }
    }
    for client in clients {
      let bytes = counting_drain(client.descriptor, "\"\(last)\"")
      guard bytes > Deliveries.messages * data.readableBytes else {
        throw Miscount(description: "a subscriber of \(channel) got \(bytes) bytes up to \(last)")
      }
    }
  }
}

/// What was to be counted has not happened.
struct Miscount: Error, CustomStringConvertible {
  let description: String
}
