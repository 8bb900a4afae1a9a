import Logging
import NIOCore
import RedisClient

/// Commands from node to node. One waits under a key of its own until its node takes it, which only one does and
/// only in time: it is neither lost, nor carried out twice, nor late by a node that was frozen.
extension RedisBrokerCore {
  func command(_ text: ByteBuffer, to incarnation: String, _ done: @escaping RedisCommands.Done) {
    guard link.state == .ready, feed.isUp, !isClosed else {
      return done(.failure(BrokerError(.unavailable, "this node cannot reach Redis")))
    }
    let number = commands.take()
    let timeout = RedisBrokerSettings.commandTimeout
    commands.asked[number] = RedisCommands.Asked(
      incarnation: incarnation,
      until: .now() + timeout,
      done: done
    )
    let arguments: [RedisArgument] = [
      .bytes(text), .integer(Int((timeout + RedisBrokerSettings.commandSpare).nanoseconds / 1_000_000)),
      .string(RedisKeys.commands(to: incarnation)),
      .string(RedisCommandNotice.waiting(number, from: lease.incarnation)),
    ]
    link.evaluate(RedisScripts.leaveCommand, keys: [key(number)], arguments: arguments) { [weak self] reply in
      guard let self else { return }
      if case .failure(let error) = reply, !error.mayHaveRun {
        finish(number, .failure(BrokerError(error)))
      } else {
        told(number, reply)
      }
    }
  }

  private func key(_ number: UInt64) -> String { RedisKeys.command(number, of: lease.incarnation) }

  /// Redis has the command, or another notice of it.
  private func told(_ number: UInt64, _ reply: Result<RedisValue, RedisError>) {
    guard let asked = commands.asked[number] else { return }
    if case .success(let value) = reply, (value.integer ?? 0) > 0 { commands.asked[number]?.isHeard = true }
    let next = min(asked.until, .now() + RedisBrokerSettings.commandReminder)
    loop.assumeIsolated().scheduleTask(deadline: next) { [weak self] in self?.remind(number) }
  }

  private func remind(_ number: UInt64) {
    guard let asked = commands.asked[number] else { return }
    guard NIODeadline.now() < asked.until else { return withdraw(number, asked) }
    let notice = RedisCommandNotice.waiting(number, from: lease.incarnation)
    link.send(["PUBLISH", .string(RedisKeys.commands(to: asked.incarnation)), .string(notice)]) {
      [weak self] in self?.told(number, $0)
    }
  }

  /// Whether the key is still there tells whether the command was taken.
  private func withdraw(_ number: UInt64, _ asked: RedisCommands.Asked) {
    link.send(["DEL", .string(key(number))]) { [weak self] reply in
      let reason: String
      switch reply {
      case .success(let value) where value.integer == 0 && asked.isHeard:
        reason = "it may have taken the command, but does not answer; look how it stands"
      case .success where asked.isHeard:
        reason = "it does not answer, as if it were frozen; the command was withdrawn"
      case .success: reason = "it does not listen to Redis; the command was withdrawn"
      case .failure(let error):
        reason = "Redis was lost meanwhile, and it may have taken the command: \(error)"
      }
      self?.finish(number, .failure(BrokerError(.unavailable, reason)))
    }
  }

  private func finish(_ number: UInt64, _ result: Result<ByteBuffer, BrokerError>) {
    commands.asked.removeValue(forKey: number)?.done(result)
  }

  func failCommands(_ error: BrokerError) {
    for number in commands.asked.keys { finish(number, .failure(error)) }
  }

  func commandArrived(_ payload: ByteBuffer) {
    switch RedisCommandNotice(payload) {
    case .answer(let number, let answer): finish(number, .success(answer))
    case .waiting(let number, let from): take(number, from: from)
    case nil: logger.error("something strange where commands come")
    }
  }

  private func take(_ number: UInt64, from incarnation: String) {
    guard let carryOut = commands.carryOut, !isClosed else { return }
    let key = RedisKeys.command(number, of: incarnation)
    link.evaluate(RedisScripts.takeCommand, keys: [key], arguments: []) { [weak self] reply in
      guard let self, case .success(let value) = reply, let command = value.bytes else { return }
      let promise = loop.makePromise(of: ByteBuffer.self)
      promise.completeWithTask { await carryOut(command) }
      promise.futureResult.assumeIsolated().whenSuccess { [weak self] answer in
        let payload = RedisCommandNotice.answer(number, answer)
        self?.link.send(["PUBLISH", .string(RedisKeys.commands(to: incarnation)), .bytes(payload)]) { _ in }
      }
    }
  }
}
