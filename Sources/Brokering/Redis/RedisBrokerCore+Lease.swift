import Logging
import NIOCore
import RedisClient

/// The node's lease, its heartbeat, and the probe that goes with it.
extension RedisBrokerCore {
  func announce(_ state: ByteBuffer) {
    announced = state
    if link.state == .ready, lease.isTaken { beat() }
  }

  /// Renews the lease and publishes a probe.
  func beat() {
    guard link.state == .ready, !isClosed else { return }
    let now = NIODeadline.now()
    nextHeartbeat = now + settings.heartbeat
    let (name, isNew, number) = (lease.name, !lease.isTaken, probe.take())
    let milliseconds = settings.lease.nanoseconds / 1_000_000
    let arguments: [RedisArgument] = [
      .string(isNew ? "1" : "0"), .string(name), .integer(Int(milliseconds)), .bytes(announced),
      .string(RedisKeys.probe(lease.incarnation)), .string("\(number)"),
    ]
    link.evaluate(RedisScripts.heartbeat, keys: [RedisKeys.nodes], arguments: arguments) {
      [weak self] reply in
      guard let self, !isClosed, name == lease.name else { return }
      gate.count(reply)
      switch reply {
      case .failure(let error): beatFailed(error)
      case .success(.integer(0)): leaseLost()
      case .success(.integer(let time)) where ClusterClock.times.contains(Int64(time)):
        let jump = clock.told(Int64(time), askedAt: now)
        // What is stored for a while only, presence among it, may have run out at once.
        if jump > .nanoseconds(settings.presenceTTL.nanoseconds / 2), !isNew { return clockJumped(jump) }
        beatTaken(probe: number)
      case .success: gate.answerIsStrange()
      }
    }
    if !isNew {
      let day = 86_400
      link.send(["EXPIRE", .string(RedisKeys.index(of: name)), .integer(day)]) { _ in }
    }
  }

  private func clockJumped(_ jump: TimeAmount) {
    let seconds = jump.nanoseconds / 1_000_000_000
    logger.warning("Redis's clock was set forward", metadata: ["seconds": "\(seconds)"])
    leaseIsVoid()
    beat()
  }

  private func beatTaken(probe number: UInt64) {
    let now = NIODeadline.now()
    if !lease.isTaken { lease.taken() }
    if leaseSince == nil { leaseSince = now }
    status.core(nil)
    if feed.isUp { probe.published(number, now: now) }
    checkRestored()
    sendNotes(isBeat: true)
  }

  private func beatFailed(_ error: RedisError) {
    leaseSince = nil
    status.core(error.description)
    giveUpStarting(error)
  }

  /// Asks who the server is before anything else is said to it. Another one, or the same one started anew, may
  /// lack the last that was written, leaves and joins alike: presence is told anew.
  func identifyServer(_ done: @escaping () -> Void) {
    link.send(["INFO", "server"]) { [weak self] reply in
      guard let self, !isClosed else { return }
      // Not every user may ask this; what the lease shows still holds.
      let run = RedisAnswers.run((try? reply.get())?.string ?? "")
      defer { done() }
      guard let run else { return }
      defer { serverRun = run }
      if let serverRun, serverRun != run, lease.isTaken { leaseIsVoid() }
    }
  }

  /// Somebody took this node for dead, or Redis has forgotten it.
  private func leaseLost() {
    leaseIsVoid()
    beat()
  }

  /// What this node wrote of its sessions is void. What it may still write in its old name, because it did not
  /// know, is taken out once everybody was joined again.
  private func leaseIsVoid() {
    logger.warning("the lease was lost: presence is told anew", metadata: ["lease": "\(lease.name)"])
    former.append(RedisFormerLease(name: lease.name, channels: presence.all))
    lease.lost()
    leaseSince = nil
    presence = RedisHeldPresence()
    presenceLost = true
    lose()
  }

  func probeArrived(_ payload: ByteBuffer) {
    guard let number = UInt64(String(buffer: payload)) else { return }
    probe.arrived(number)
    rosterProven(by: number)
    checkRestored()
  }

  func checkProbe(now: NIODeadline) {
    guard feed.isUp, probe.isMissing(now: now, after: settings.probe) else { return }
    feed.reconnect(because: "a probe published to it did not arrive")
  }

  func nodes(_ done: @escaping (Result<[NodeRecord], BrokerError>) -> Void) {
    let duration = settings.lease
    link.evaluate(RedisScripts.nodes, keys: [RedisKeys.nodes], arguments: []) { reply in
      done(reply.answer { RedisAnswers.nodes($0, lease: duration) })
    }
  }
}
