internal import Telemetry
internal import Brokering
internal import NIOCore
internal import NIOHTTP1
internal import Transports
internal import Wire

extension OperatorDesk {
  /// The largest body of a publish, in bytes.
  static let publishLimit = 8 << 20

  func publish(_ request: HTTPRequest, _ responder: Responder) {
    let publications: Publications
    do {
      publications = try Publications(request.body)
    } catch {
      return responder.respond(error)
    }
    let tally = PublishTally(publications.parts.map(\.channel)) { responder.respond(results: $0) }
    for (index, part) in publications.parts.enumerated() {
      guard let channel = ChannelName(part.channel) else {
        tally.done(index, .failure(ClientError(.badChannel, "no channel has this name")))
        continue
      }
      let most = namespaces[channel].maxMessageBytes
      guard part.data.readableBytes <= most else {
        metrics.over.messageSize.add()
        tally.done(
          index,
          .failure(ClientError(.tooLarge, "data has \(part.data.readableBytes) bytes; \(most) at most"))
        )
        continue
      }
      var publication = Publication(channel: channel, data: part.data, key: part.key)
      publication.isOfOperator = true
      port.publish(publication) { [metrics] result in
        (try? result.get()) == nil ? metrics.failedPublishes.add() : metrics.publishes.add()
        tally.done(index, result.mapError(OperatorDesk.clientError))
      }
    }
    tally.allAsked()
  }

  private static func clientError(_ error: BrokerError) -> ClientError {
    ClientError(
      error.kind == .unavailable ? .unavailable : .internal,
      "not published: \(error.reason)",
      retryAfterMS: error.retryAfterMS
    )
  }
}

/// The results of one request, answered when the last is there. Confined to its loop.
final class PublishTally {
  struct Entry {
    let channel: String
    var result: Result<Receipt, ClientError>?
  }

  private var entries: [Entry]
  private var missing: Int
  private let finish: ([Entry]) -> Void

  init(_ channels: [String], _ finish: @escaping ([Entry]) -> Void) {
    entries = channels.map { Entry(channel: $0) }
    // One more, so that nothing is answered before everything was asked.
    missing = channels.count + 1
    self.finish = finish
  }

  func done(_ index: Int, _ result: Result<Receipt, ClientError>) {
    entries[index].result = result
    count()
  }

  func allAsked() {
    count()
  }

  private func count() {
    missing -= 1
    if missing == 0 { finish(entries) }
  }
}

@available(*, unavailable)
extension PublishTally: Sendable {}

extension Responder {
  /// One result for each, or the one error when the log could take none.
  fileprivate func respond(results entries: [PublishTally.Entry]) {
    let errors = entries.compactMap { entry -> ClientError? in
      if case .failure(let error)? = entry.result { error } else { nil }
    }
    if let error = errors.first, errors.count == entries.count, errors.allSatisfy({ $0.code == .unavailable })
    {
      return respond(error)
    }
    var body = ByteBuffer()
    body.openObject()
    body.writeMember("results", arrayOf: entries) { $1.write(to: &$0) }
    body.closeObject()
    respondJSON(body)
  }
}

extension PublishTally.Entry {
  fileprivate func write(to body: inout ByteBuffer) {
    body.openObject()
    body.writeMember("channel", channel)
    switch result {
    case .success(let receipt)?:
      if let cursor = receipt.cursor { body.writeMember("cursor", cursor) }
      if receipt.isRepeated { body.writeMember("repeated", true) }
    case .failure(let error)?:
      body.writeMember("error") { body in
        body.openObject()
        body.writeMember("code", error.code.rawValue)
        body.writeMember("message", error.message)
        if let wait = error.retryAfterMS { body.writeMember("retry_after_ms", wait) }
        body.closeObject()
      }
    case nil: break
    }
    body.closeObject()
  }
}
