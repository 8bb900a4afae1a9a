import NIOCore
import NIOHTTP1
import SluiceClient
import Wire

/// A way to publish that does not give up: what is not answered is sent again with its key, so that it is stored
/// once. It lives on one loop.
protocol PublishLane: AnyObject {
  /// `done` is called once: with where it stands in the log, or with why it was given up.
  func publish(
    _ channel: ChannelName,
    _ data: ByteBuffer,
    deadline: NIODeadline,
    _ done: @escaping (Result<Cursor?, PublishFailure>) -> Void
  )
  /// Publishes that are neither answered nor given up.
  var unsettled: Int { get }
  func close()
}

struct PublishFailure: Error, Sendable {
  var reason: String
}

/// A request for each.
final class RequestLane: PublishLane {
  private let publisher: Publisher

  init(_ publisher: Publisher) { self.publisher = publisher }

  func publish(
    _ channel: ChannelName,
    _ data: ByteBuffer,
    deadline: NIODeadline,
    _ done: @escaping (Result<Cursor?, PublishFailure>) -> Void
  ) {
    publisher.publish(channel, data: data, deadline: deadline) { result in
      done(
        result.map(\.cursor).mapError { failure in
          PublishFailure(reason: "\(failure.status.map(String.init) ?? "no answer"): \(failure.reason)")
        }
      )
    }
  }

  var unsettled: Int { publisher.unsettled }
  func close() { publisher.close() }
}

/// A request to an operator listener for each.
final class OperatorLane: PublishLane {
  private let requester: Requester
  private let headers: HTTPHeaders
  private var lastKey: UInt64 = .random(in: .min ... .max)

  init(to operators: [OperatorPlace], connections: Int, on loop: any EventLoop) {
    requester = Requester(
      to: operators.map(\.endpoint),
      connections: connections,
      backoff: Backoff(ceiling: .seconds(2)),
      on: loop
    )
    headers = operators.first?.headers ?? [:]
  }

  func publish(
    _ channel: ChannelName,
    _ data: ByteBuffer,
    deadline: NIODeadline,
    _ done: @escaping (Result<Cursor?, PublishFailure>) -> Void
  ) {
    lastKey &+= 1
    var body = ByteBuffer()
    body.writeString("{\"publications\":[{\"channels\":[\"\(channel)\"],\"data\":")
    body.writeImmutableBuffer(data)
    body.writeString(",\"key\":\"\(String(lastKey, radix: 36))\"}]}")
    var request = HTTPRequest(.POST, "/v1/publish", headers: headers, body: body)
    request.headers.add(name: "Content-Type", value: "application/json")
    requester.send(request, deadline: deadline) { result, _ in
      switch result {
      case .failure(let failure): done(.failure(PublishFailure(reason: failure.reason)))
      case .success(let response):
        let result = (try? JSONObject(response.body))?["results"]?.elements?.first?.object
        if let cursor = result?["cursor"]?.string.flatMap({ Cursor($0) }) {
          done(.success(cursor))
        } else {
          let text = String(buffer: response.body).prefix(200)
          done(.failure(PublishFailure(reason: "\(response.status.code): \(text)")))
        }
      }
    }
  }

  var unsettled: Int { requester.unsettled }
  func close() { requester.close() }
}

@available(*, unavailable)
extension RequestLane: Sendable {}

@available(*, unavailable)
extension OperatorLane: Sendable {}
