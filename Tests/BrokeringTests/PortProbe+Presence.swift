import Brokering
import NIOCore
import Wire

extension PortProbe {
  /// Attaches a channel and hears its joins and leaves.
  func listen(_ channel: ChannelName) async throws {
    _ = try await attach(channel)
    try await hear(channel)
  }

  func hear(_ channel: ChannelName) async throws {
    let _: Bool = try await ask { port, done in
      port.hearPresence(of: channel)
      done(.success(true))
    }
  }

  /// Whom a listener takes for present that applies joins and leaves to a set.
  func audience(_ channel: ChannelName) async throws -> Set<String> {
    try await heard { $0.audience(channel) }
  }

  /// Joins many at once.
  func join(_ channel: ChannelName, all members: [Member]) async throws {
    // Some at a time: each is to be answered in time, also on a busy machine.
    for first in stride(from: 0, to: members.count, by: 500) {
      let _: Bool = try await ask { port, done in
        let some = members.enumerated().dropFirst(first).prefix(500)
        var left = some.count
        for (index, member) in some {
          port.join(channel, member, holder: HolderID(serial: UInt64(index))) { result in
            left -= 1
            if case .failure(let error) = result { done(.failure(error)) }
            if left == 0 { done(.success(true)) }
          }
        }
      }
    }
  }
}

extension PortProbe.Recorder {
  func audience(_ channel: ChannelName) -> Set<String> {
    var present: Set<String> = []
    for (at, item) in items where at == channel {
      switch item {
      case .join(let member): present.insert(member.id)
      case .leave(let member): present.remove(member.id)
      case .message, .ephemeral: break
      }
    }
    return present
  }
}
