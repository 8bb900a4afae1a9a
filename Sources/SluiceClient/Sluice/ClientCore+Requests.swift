import NIOCore
import NIOHTTP1
import Wire

/// A request of an app, until it is answered.
final class ClientRequestOnItsWay {
  typealias Completion = (Result<HTTPResponse, any Error>) -> Void

  let request: HTTPRequest
  let done: Completion
  var ticket: Requester.Ticket?
  var hasNewToken = false

  init(_ request: HTTPRequest, _ done: @escaping Completion) {
    self.request = request
    self.done = done
  }
}

extension ClientCore {
  /// Sends a request, with the token; once more with a new one when it was refused.
  func send(_ id: UInt64, _ request: HTTPRequest, _ done: @escaping ClientRequestOnItsWay.Completion) {
    guard !isClosed else { return done(.failure(SluiceError("the client is closed"))) }
    let way = ClientRequestOnItsWay(request, done)
    tickets[id] = way
    let patience = TimeAmount(options.patience)
    keeper.headers { [unowned self] in send(id, way, $0, deadline: .now() + patience) }
  }

  private func send(
    _ id: UInt64,
    _ way: ClientRequestOnItsWay,
    _ headers: HTTPHeaders,
    deadline: NIODeadline
  ) {
    guard tickets[id] != nil else { return }
    var request = way.request
    for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
    way.ticket = requester.send(request, deadline: deadline) { result, _ in
      guard self.tickets[id] != nil else { return }
      if case .success(let response) = result, response.status == .unauthorized, self.options.token != nil,
        !way.hasNewToken
      {
        way.hasNewToken = true
        return self.keeper.renew { self.send(id, way, $0, deadline: deadline) }
      }
      self.tickets[id] = nil
      way.done(result.mapError { SluiceError($0) }.flatMap { SluiceError.unlessGood($0) }.mapError { $0 })
    }
  }

  /// The app does not wait for it any more.
  func cancel(_ id: UInt64) {
    guard let way = tickets.removeValue(forKey: id) else { return }
    if let ticket = way.ticket { requester.cancel(ticket) }
    way.done(.failure(CancellationError()))
  }
}

extension SluiceError {
  init(_ failure: Requester.Failure) {
    if let response = failure.response {
      self.init(response)
    } else {
      self.init("no answer: \(failure.reason)")
    }
  }

  init(_ response: HTTPResponse) {
    if let problem = response.problem {
      self.init(ErrorCode(rawValue: problem.code), problem.detail)
    } else {
      self.init("answered \(response.summary)")
    }
  }

  static func unlessGood(_ response: HTTPResponse) -> Result<HTTPResponse, SluiceError> {
    (200..<300).contains(response.status.code) ? .success(response) : .failure(SluiceError(response))
  }
}

@available(*, unavailable)
extension ClientRequestOnItsWay: Sendable {}
