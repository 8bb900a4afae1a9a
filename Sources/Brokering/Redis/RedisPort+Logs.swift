import NIOCore
import RedisClient
import Wire

/// Logs: each call is one script on the keys of one channel.
extension RedisPort {
  func publish(_ publication: Publication, _ done: @escaping (Result<Receipt, BrokerError>) -> Void) {
    let channel = publication.channel
    let options = namespaces[channel]
    guard options.delivery != .ephemeral else { return publishEphemeral(publication, done) }
    var keys = logKeys(channel)
    if let key = publication.keyOfUser { keys.append(RedisKeys.key(channel, key)) }
    var arguments: [RedisArgument] = [
      .string(Epoch.random().description), .integer(options.held), .integer(options.historyTTL),
      .integer(RedisBrokerSettings.keyTTL), .string(RedisKeys.feed(channel)), .bytes(publication.data),
    ]
    if let user = publication.user { arguments.append(.string(user)) }
    let bytes = publication.data.readableBytes
    evaluate(
      RedisScripts.publish,
      keys: keys,
      arguments,
      publishing: bytes,
      done,
      RedisAnswers.receipt
    )
  }

  private func publishEphemeral(
    _ publication: Publication,
    _ done: @escaping (Result<Receipt, BrokerError>) -> Void
  ) {
    let payload = RedisFrame.ephemeral(publication, time: clock.milliseconds())
    let name = RedisKeys.feed(publication.channel)
    pass(publishing: payload.readableBytes, done) { [link, gate] entered in
      link.send(["PUBLISH", .string(name), .bytes(payload)]) { reply in
        gate.left(entered, reply)
        done(reply.answer { _ in Receipt(cursor: nil, isRepeated: false) })
      }
    }
  }

  func read(
    _ channel: ChannelName,
    _ range: HistoryRange,
    limit: Int,
    _ done: @escaping (Result<LogPage, BrokerError>) -> Void
  ) {
    let options = namespaces[channel]
    var arguments: [RedisArgument] = [
      .integer(options.historyTTL), .integer(limit), .integer(LogPage.dataLimit),
      .integer(options.maxMessageBytes),
    ]
    switch range {
    case .newest: arguments.append("newest")
    case .since(.start): arguments.append("start")
    case .since(.cursor(let cursor)): arguments += ["since"] + cursor.arguments
    case .before(let cursor): arguments += ["before"] + cursor.arguments
    }
    evaluate(RedisScripts.read, keys: logKeys(channel), arguments, done, RedisAnswers.page)
  }

  /// Makes an epoch where there is none, or where the message expected is not in the log.
  func position(
    of channel: ChannelName,
    expecting mark: MessageMark?,
    _ done: @escaping (Result<LogPosition, BrokerError>) -> Void
  ) {
    var arguments: [RedisArgument] = [
      .string(Epoch.random().description), .integer(namespaces[channel].historyTTL),
    ]
    if let mark { arguments += mark.cursor.arguments + [.string("\(mark.time)")] }
    let answer = { [positions] (result: Result<LogPosition, BrokerError>) in
      done(result)
      if case .failure = result { positions.ended(hasFailed: true) } else { positions.ended() }
    }
    let isTaken = positions.take { [self, arguments] in
      evaluate(RedisScripts.position, keys: logKeys(channel), arguments, answer, RedisAnswers.position)
    }
    guard !isTaken else { return }
    let refusal = BrokerError(RedisError.overloaded(pending: positions.count))
    loop.assumeIsolated().execute { done(.failure(refusal)) }
  }

  /// The first failure is the answer.
  func verify(
    _ expected: [(channel: ChannelName, last: MessageMark?)],
    _ done: @escaping (Result<[LogPosition], BrokerError>) -> Void
  ) {
    guard !expected.isEmpty else {
      return loop.assumeIsolated().execute { done(.success([])) }
    }
    var positions = [LogPosition?](repeating: nil, count: expected.count)
    var failure: BrokerError?
    var awaited = expected.count
    for (index, (channel, mark)) in expected.enumerated() {
      position(of: channel, expecting: mark) { result in
        switch result {
        case .success(let position): positions[index] = position
        case .failure(let error): failure = failure ?? error
        }
        awaited -= 1
        if awaited == 0 { done(failure.map(Result.failure) ?? .success(positions.compactMap { $0 })) }
      }
    }
  }

  func renewEpoch(
    of channel: ChannelName,
    ifStill stale: Epoch,
    _ done: @escaping (Result<LogPosition, BrokerError>) -> Void
  ) {
    let arguments: [RedisArgument] = [
      .string(stale.description), .string(Epoch.random().description),
      .integer(namespaces[channel].historyTTL),
    ]
    evaluate(RedisScripts.renewEpoch, keys: logKeys(channel), arguments, done, RedisAnswers.position)
  }

  private func logKeys(_ channel: ChannelName) -> [String] {
    [RedisKeys.meta(channel), RedisKeys.log(channel)]
  }
}

extension Cursor {
  fileprivate var arguments: [RedisArgument] {
    [.string(epoch.description), .string("\(offset)")]
  }
}
