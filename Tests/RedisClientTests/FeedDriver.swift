import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import RedisClient
import TestRedis

/// Drives a feed from a test's task, and keeps what it says.
final class FeedDriver: Sendable {
  struct Heard {
    var batches: [[RedisFeedMessage]] = []
    var confirmed: [String] = []
    var ups = 0
    var downs: [RedisError] = []

    var texts: [String] { batches.joined().map { "\($0.name)=\(String(buffer: $0.payload))" } }
  }

  private let feed: NIOLoopBound<RedisFeed>
  private let loop: any EventLoop
  private let box = NIOLockedValueBox(Heard())

  init(_ settings: RedisSettings, _ names: [String] = []) async throws {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let box = box
    self.loop = loop
    feed = try await loop.submit {
      let feed = RedisFeed(settings, on: loop, logger: quiet)
      feed.onMessages = { batch in box.withLockedValue { $0.batches.append(batch) } }
      feed.onConfirmed = { names in box.withLockedValue { $0.confirmed += names } }
      feed.onUp = { box.withLockedValue { $0.ups += 1 } }
      feed.onDown = { error in box.withLockedValue { $0.downs.append(error) } }
      feed.subscribe(names)
      feed.start()
      return NIOLoopBound(feed, eventLoop: loop)
    }.get()
  }

  var heard: Heard { box.withLockedValue { $0 } }

  func run<T: Sendable>(_ body: @escaping @Sendable (RedisFeed) -> T) async throws -> T {
    try await loop.submit { [feed] in body(feed.value) }.get()
  }

  func isUp(times: Int = 1) async throws {
    try await eventually("the feed is up, \(heard.downs)") { heard.ups >= times }
  }

  func close() async throws {
    try await loop.flatSubmit { [feed] in feed.value.close() }.get()
  }
}
