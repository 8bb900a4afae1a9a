import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
public import SluiceClient
public import Wire

/// A member of a channel.
public struct Seat: Hashable, Sendable {
  public let room: ChannelName
  public let member: String

  public init(room: ChannelName, member: String) {
    self.room = room
    self.member = member
  }
}

/// A client that hears joins and leaves of some channels over any number of connections.
public final class PresenceWatcher: Sendable {
  fileprivate struct Heard {
    var present: Set<Seat> = []
    var joins: [Seat] = []
    var leaves: [Seat] = []
  }

  private let subscriber: Confined<ResilientSubscriber>
  private let heard: NIOLockedValueBox<Heard>

  /// Begins to connect.
  public init(_ settings: SubscriberSettings) async throws {
    let heard = NIOLockedValueBox(Heard())
    self.heard = heard
    var settings = settings
    settings.presence = .watch
    let wishes = settings
    subscriber = try await Confined(on: MultiThreadedEventLoopGroup.singleton.any()) { loop in
      ResilientSubscriber(wishes, on: loop)
    }
    try await subscriber.use { subscriber in
      subscriber.onEvent = { event in heard.withLockedValue { $0.hear(event) } }
      subscriber.start()
    }
  }

  public var isReady: Bool {
    get async throws { try await subscriber.use { $0.isReady } }
  }

  /// Who joined and did not leave.
  public var present: Set<Seat> { heard.withLockedValue(\.present) }
  /// Every leave that was heard.
  public var leaves: [Seat] { heard.withLockedValue(\.leaves) }
  /// Every join that was heard.
  public var joins: [Seat] { heard.withLockedValue(\.joins) }

  public func stop() {
    subscriber.use(soon: { $0.stop() })
  }
}

extension PresenceWatcher.Heard {
  fileprivate mutating func hear(_ event: ServerEvent) {
    switch event {
    case .join(let room, let member):
      let seat = Seat(room: room, member: member.id)
      present.insert(seat)
      joins.append(seat)
    case .leave(let room, let member):
      let seat = Seat(room: room, member: member.id)
      present.remove(seat)
      leaves.append(seat)
    default: break
    }
  }
}

extension Fleet {
  /// What they are members of, each in all its channels; those whose session is not known yet are left out.
  public func seats() async throws -> Set<Seat> {
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
