import NIOCore
import RedisClient
import Telemetry
import Wire

/// What backends are told of. What a node holds open is noted in Redis under its lease; whoever takes the last note of
/// something away, the node itself or the one that sweeps after it, puts the event into the queue in the same step.
extension RedisBrokerCore {
  func note(_ kinds: Set<ClusterEvent.Kind>) {
    notes.notesConnections = kinds.contains(.disconnect)
    notes.notesChannels = kinds.contains(.channelOccupied) || kinds.contains(.channelVacated)
  }

  func connected(_ holder: HolderID, _ detail: ByteBuffer) {
    guard notes.notesConnections else { return }
    notes.began(key(of: holder), detail)
    sendNotes()
  }

  func disconnected(_ holder: HolderID) {
    guard notes.notesConnections else { return }
    notes.ended(key(of: holder))
    sendNotes()
  }

  func occupied(_ channel: ChannelName) {
    guard notes.notesChannels else { return }
    var detail = ByteBuffer()
    detail.openObject()
    detail.writeMember("channel", channel.text)
    detail.closeObject()
    notes.began("c:\(channel.text)", detail)
    sendNotes()
  }

  func vacated(_ channel: ChannelName) {
    guard notes.notesChannels else { return }
    notes.ended("c:\(channel.text)")
    sendNotes()
  }

  private func key(of holder: HolderID) -> String { "s:\(lease.incarnation)/\(holder.serial)" }

  /// Tells Redis what it does not know yet, one batch at a time.
  /// - Parameter isBeat: also when there is nothing, so that it is seen whether Redis still knows the rest.
  func sendNotes(isBeat: Bool = false) {
    guard notes.isUsed, !notes.isSending, link.state == .ready, lease.isTaken else { return }
    guard isBeat || !notes.waiting.isEmpty || notes.lease != lease.name else { return }
    notes.isSending = true
    let (number, some) = notes.next(under: lease.name)
    tell(number, some) { [weak self] reply in
      guard let self else { return }
      notes.isSending = false
      // A failure is told again with the next beat.
      guard case .success(.integer(let answer)) = reply else { return }
      if answer < 0 { notes.forgotten() } else { notes.taken(number) }
      gate.metrics.eventsDropped.add(min(max(answer, 1) - 1, EventBounds.most) + notes.takeDropped())
      sendNotes()
    }
  }

  /// Tells all that is left, without waiting for answers: the node stops.
  func sendLastNotes() {
    guard notes.isUsed, link.state == .ready, lease.isTaken else { return }
    repeat {
      let (number, some) = notes.next(under: lease.name)
      tell(number, some) { _ in }
      notes.taken(number)
    } while !notes.waiting.isEmpty
  }

  private func tell(
    _ number: Int,
    _ some: [EventNotes.Note],
    _ done: @escaping (Result<RedisValue, RedisError>) -> Void
  ) {
    var arguments: [RedisArgument] = [.integer(number), .integer(EventBounds.most)]
    for note in some {
      arguments.append(.string(note.key))
      arguments.append(note.detail.map { .bytes($0) } ?? .string(""))
    }
    let keys = RedisKeys.events(of: lease.name)
    link.evaluate(RedisScripts.note, keys: keys, arguments: arguments, done)
  }

  /// What a lease has left open has ended with it.
  func sweepEvents(of name: String, _ done: @escaping (_ isDone: Bool) -> Void) {
    let arguments: [RedisArgument] = [.integer(EventNotes.batchSize), .integer(EventBounds.most)]
    link.evaluate(RedisScripts.sweepNotes, keys: RedisKeys.events(of: name), arguments: arguments) {
      [weak self] reply in
      guard case .success(.integer(let left)) = reply else { return done(false) }
      if left == 0 { done(true) } else { self?.sweepEvents(of: name, done) }
    }
  }

  // MARK: The queue

  /// The oldest events, for the one node that delivers them; `duration` is how long it is the one.
  func events(
    atMost limit: Int,
    for duration: TimeAmount,
    _ done: @escaping (Result<[ClusterEvent], BrokerError>) -> Void
  ) {
    let arguments: [RedisArgument] = [
      .string(lease.incarnation), .integer(Int(duration.nanoseconds / 1_000_000)), .integer(limit),
      .integer(Int(EventBounds.age.nanoseconds / 1_000_000)),
    ]
    let keys = [RedisKeys.eventDeliverer, RedisKeys.eventQueue]
    link.evaluate(RedisScripts.events, keys: keys, arguments: arguments) { [weak self] reply in
      done(
        reply.answer { value in
          guard let answer = RedisAnswers.events(value) else { return nil }
          self?.gate.metrics.eventsWaiting.set(answer.waiting)
          return answer.events
        }
      )
    }
  }

  func delivered(_ events: [ClusterEvent], _ done: @escaping (Result<Void, BrokerError>) -> Void) {
    guard !events.isEmpty else { return done(.success(())) }
    let command: [RedisArgument] = ["XDEL", .string(RedisKeys.eventQueue)] + events.map { .string($0.id) }
    link.send(command) { reply in done(reply.answer { $0.integer.map { _ in } }) }
  }
}
