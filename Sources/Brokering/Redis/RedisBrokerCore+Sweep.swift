import Logging
import NIOCore
import RedisClient
import Wire

/// Taking out of presence what a lease has left there.
extension RedisBrokerCore {
  /// Looks for a dead node and sweeps it. Only a node whose own lease has lasted for a while does: after a time
  /// without Redis every lease looks dead until its node has come back.
  func sweepDead(now: NIODeadline) {
    guard !isSweeping, link.state == .ready, let leaseSince, now - leaseSince >= settings.lease else {
      return
    }
    isSweeping = true
    let arguments: [RedisArgument] = [
      .string(lease.name), .integer(5_000), .integer(Int(settings.remembersDead.nanoseconds / 1_000_000)),
      .integer(Int(settings.lease.nanoseconds / 1_000_000)),
    ]
    link.evaluate(RedisScripts.findDead, keys: [RedisKeys.nodes], arguments: arguments) { [weak self] reply in
      guard let self else { return }
      guard !isClosed, case .success(let value) = reply, let dead = value.string else {
        isSweeping = false
        return
      }
      logger.notice("a node is dead: its presence is swept", metadata: ["lease": "\(dead)"])
      sweep(dead) { [weak self] isDone in
        guard let self else { return }
        isSweeping = false
        if isDone, !isClosed { sweepDead(now: .now()) }
      }
    }
  }

  /// Takes out what this node has left under leases that it lost, when its members had the time to be joined
  /// under the present one.
  func sweepFormer(now: NIODeadline) {
    guard !isLost, !isSweeping, link.state == .ready, lease.isTaken, let old = former.first else { return }
    guard let isOverAt = old.isOverAt else {
      former[0].isOverAt = now + settings.rejoin
      return
    }
    guard now >= isOverAt else { return }
    isSweeping = true
    sweep(old.name, and: old.channels) { [weak self] isDone in
      guard let self else { return }
      isSweeping = false
      if isDone { former.removeFirst() }
    }
  }

  /// Sweeps every channel of a lease, then ends the lease.
  /// - Parameter known: channels that may not be noted any more.
  func sweep(_ name: String, and known: [ChannelName] = [], _ done: @escaping (_ isDone: Bool) -> Void) {
    let index = RedisKeys.index(of: name)
    link.send(["SMEMBERS", .string(index)]) { [self] reply in
      guard case .success(let value) = reply, let members = value.array else { return done(false) }
      let channels = Set(members.compactMap { $0.string.flatMap { ChannelName($0) } }).union(known)
      sweep(name, Array(channels)[...]) { [self] isDone in
        guard isDone else { return done(false) }
        sweepEvents(of: name) { [self] isDone in
          guard isDone else { return done(false) }
          link.send(["DEL", .string(index)]) { _ in }
          link.evaluate(RedisScripts.endLease, keys: [RedisKeys.nodes], arguments: [.string(name)]) { reply in
            done(reply.isSuccess)
          }
        }
      }
    }
  }

  /// Some channels at a time.
  private func sweep(
    _ name: String,
    _ channels: ArraySlice<ChannelName>,
    _ done: @escaping (_ isDone: Bool) -> Void
  ) {
    let some = channels.prefix(100)
    guard !some.isEmpty else { return done(true) }
    var awaited = some.count
    var areDone = true
    for channel in some {
      sweep(name, channel) { [self] isDone in
        awaited -= 1
        areDone = areDone && isDone
        guard awaited == 0 else { return }
        if areDone { sweep(name, channels.dropFirst(some.count), done) } else { done(false) }
      }
    }
  }

  /// Again until nothing is left in the channel.
  private func sweep(_ name: String, _ channel: ChannelName, _ done: @escaping (_ isDone: Bool) -> Void) {
    let batch = RedisBrokerSettings.sweepBatch
    let arguments: [RedisArgument] = [
      .string(name), .integer(batch), .string(presenceFeed(of: channel)),
    ]
    link.evaluate(RedisScripts.sweep, keys: RedisKeys.presence(channel), arguments: arguments) {
      [self] reply in
      guard case .success(let value) = reply, let count = value.integer else { return done(false) }
      if count < batch { done(true) } else { sweep(name, channel, done) }
    }
  }
}

extension Result {
  fileprivate var isSuccess: Bool {
    if case .success = self { true } else { false }
  }
}
