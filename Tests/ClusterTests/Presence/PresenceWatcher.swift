import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing
import Wire

@testable import SluiceClient

/// A client that hears joins and leaves of some channels over any number of connections.
final class PresenceWatcher: Sendable {
  private struct Heard {
    var present: Set<Seat> = []
    var joins: [Seat] = []
    var leaves: [Seat] = []
  }

  private let subscriber: Confined<ResilientSubscriber>
  private let heard: NIOLockedValueBox<Heard>

  /// Subscribes, and waits for it.
  init(of rooms: [ChannelName], at endpoint: Endpoint) async throws {
    let heard = NIOLockedValueBox(Heard())
    self.heard = heard
    subscriber = try await Confined(on: MultiThreadedEventLoopGroup.singleton.any()) { loop in
      var settings = SubscriberSettings(name: "watcher", endpoint: endpoint, channels: rooms)
      settings.presence = .watch
      return ResilientSubscriber(settings, on: loop)
    }
    try await subscriber.use { subscriber in
      subscriber.onEvent = { event in
        heard.withLockedValue { heard in
          switch event {
          case .join(let room, let member):
            let seat = Seat(room: room, member: member.id)
            heard.present.insert(seat)
            heard.joins.append(seat)
          case .leave(let room, let member):
            let seat = Seat(room: room, member: member.id)
            heard.present.remove(seat)
            heard.leaves.append(seat)
          default: break
          }
        }
      }
      subscriber.start()
    }
    try await eventually("a watcher", holds: { try await self.subscriber.use { $0.isReady } })
  }

  /// Who joined and did not leave.
  var present: Set<Seat> { heard.withLockedValue(\.present) }
  /// Every leave that was heard.
  var leaves: [Seat] { heard.withLockedValue(\.leaves) }
  /// Every join that was heard.
  var joins: [Seat] { heard.withLockedValue(\.joins) }

  func stop() {
    subscriber.use(soon: { $0.stop() })
  }
}

/// A member of a channel.
struct Seat: Hashable, Sendable {
  let room: ChannelName
  let member: String
}

extension Fleet {
  /// What they are members of, each in all its channels.
  func seats() async throws -> Set<Seat> {
    Set(
      try await all { subscriber -> [Seat] in
        guard let secret = subscriber.session, let session = Session(secret: secret, user: nil) else {
          return []
        }
        return subscriber.settings.channels.map { Seat(room: $0, member: session.member) }
      }.joined()
    )
  }
}
