internal import Admission
internal import AsyncHTTPClient
internal import Logging
private import NIOConcurrencyHelpers
internal import NIOCore
private import NIOHTTP1
private import Telemetry
internal import Wire

/// Asks a backend who may do what. Shared by all loops; each question is answered on the loop that it came from.
final class Webhook: DecisionMaker {
  private struct State {
    /// One for each kind of question: a backend that fails at publishes is still asked who may connect.
    var breakers: [Question.Kind: CircuitBreaker] = [:]
    var cache = WebhookCache(most: WebhookSettings.cachedAnswers, mostBytes: WebhookSettings.cachedBytes)
    var waiting = 0
    var nextWarning = NIODeadline.uptimeNanoseconds(0)
  }

  /// No more than one warning in this time: what a backend answers may depend on what clients ask.
  private static let warningPause = TimeAmount.seconds(10)

  private enum Step {
    case known(WebhookAnswer)
    case ask(CircuitBreaker.Pass)
    case refuse(ClientError)
  }

  let metrics = WebhookMetrics()
  let settings: WebhookSettings
  private let url: String
  let node: String
  let client: HTTPClient
  /// The loop of all that goes to the backend and comes from it.
  let home: any EventLoop
  /// As each kind's begins.
  private let breaker: CircuitBreaker
  private let state: NIOLockedValueBox<State>
  let now: @Sendable () -> Int64
  private let log: Logger

  /// Nil where no backend is set. `now` answers milliseconds since 1970, by which questions are stamped.
  init?(
    _ settings: WebhookSettings,
    node: String,
    on group: any EventLoopGroup,
    log: Logger,
    now: @escaping @Sendable () -> Int64 = WallClock.milliseconds
  ) {
    guard let url = settings.url else { return nil }
    self.url = url
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow,
      timeout: .init(connect: settings.timeout, read: settings.timeout),
      connectionPool: .init(
        idleTimeout: .seconds(30),
        concurrentHTTP1ConnectionsPerHostSoftLimit: settings.connections
      )
    )
    configuration.httpVersion = .http1Only
    // On one loop, its requests too: where a request's loop is not its connection's, the client ends the process when a
    // backend answers early and closes at once.
    home = group.next()
    client = HTTPClient(eventLoopGroup: home, configuration: configuration)
    breaker = CircuitBreaker(settings.breaker)
    state = NIOLockedValueBox(State())
    self.settings = settings
    self.node = node
    self.now = now
    self.log = log
  }

  var decides: Set<Question.Kind> { settings.decides }

  var atOnce: Int { max(1, min(16, settings.connections / 2)) }

  func shutdown() async {
    try? await client.shutdown()
  }

  func decide(
    _ question: Question,
    on loop: any EventLoop,
    _ answer: @escaping @Sendable (Result<Decision, ClientError>) -> Void
  ) {
    let key = settings.cache > .zero ? WebhookQuestion.cacheKey(question) : nil
    switch nextStep(question.kind, key) {
    case .known(let known):
      metrics.cached.add()
      loop.execute { answer(known.result) }
    case .refuse(let error):
      metrics.refused.add()
      // Whoever asks too much opens nothing by it.
      let result = error.code == .overloaded ? .failure(error) : failure(question.kind, error)
      loop.execute { answer(result) }
    case .ask(let pass):
      metrics.asked.add()
      ask(question, on: loop).whenComplete { [self] result in
        answer(answered(question.kind, key, pass, result))
      }
    }
  }

  private func nextStep(_ kind: Question.Kind, _ key: [UInt8]?) -> Step {
    let now = NIODeadline.now()
    let step = state.withLockedValue { state -> Step in
      if let key, let known = state.cache.answer(to: key, now: now) { return .known(known) }
      guard state.waiting < settings.connections * 3 else {
        return .refuse(ClientError(.overloaded, "too many questions wait for the backend"))
      }
      switch state.breakers[kind, default: breaker].knock(now: now) {
      case .pass(let pass):
        state.waiting += 1
        return .ask(pass)
      case .refused(let wait):
        let milliseconds = Int(min(wait.nanoseconds / 1_000_000, 30_000)) + 500
        return .refuse(ClientError(.unavailable, Webhook.silence, retryAfterMS: milliseconds))
      }
    }
    if case .ask = step { metrics.waiting.add(1) }
    return step
  }

  private static let silence = "the backend that decides does not answer"

  private func ask(_ question: Question, on loop: any EventLoop) -> EventLoopFuture<HTTPClient.Response> {
    let time = now()
    let id = String(UInt64.random(in: .min ... .max), radix: 36)
    let body = WebhookQuestion.json(question, id: id, node: node, time: time)
    do {
      let request = try request(body, at: time)
      return client.execute(
        request: request,
        delegate: ResponseAccumulator(request: request, maxBodySize: WebhookSettings.answerLimit),
        eventLoop: .delegate(on: home),
        deadline: .now() + settings.timeout
      ).futureResult.hop(to: loop)
    } catch {
      return loop.makeFailedFuture(error)
    }
  }

  /// A signed request; `time` is in milliseconds since 1970.
  func request(_ body: ByteBuffer, at time: Int64) throws -> HTTPClient.Request {
    var headers: HTTPHeaders = ["Content-Type": "application/json", "User-Agent": "sluice/\(Version.text)"]
    if let secret = settings.secret {
      let signature = WebhookSignature.sign(body, at: time / 1_000, with: secret)
      headers.add(name: WebhookSignature.header, value: signature)
    }
    return try HTTPClient.Request(url: url, method: .POST, headers: headers, body: .byteBuffer(body))
  }

  private func answered(
    _ kind: Question.Kind,
    _ key: [UInt8]?,
    _ pass: CircuitBreaker.Pass,
    _ result: Result<HTTPClient.Response, any Error>
  ) -> Result<Decision, ClientError> {
    metrics.waiting.add(-1)
    let read = Webhook.read(result, kind)
    let now = NIODeadline.now()
    let fault = state.withLockedValue { state -> String? in
      state.waiting -= 1
      // Within the lock, so that the last that is told is how it is.
      defer { metrics.open[kind]?.set(state.breakers[kind, default: breaker].state == .closed ? 0 : 1) }
      switch read {
      case .success(let answer):
        state.breakers[kind, default: breaker].succeeded(pass)
        if let key {
          let age = min(answer.maximumAge, settings.cache)
          state.cache.keep(answer, to: key, until: now + age, now: now)
        }
        return nil
      case .failure(let fault):
        // It is there, and does not like what somebody asked.
        if fault.isOfQuestion {
          state.breakers[kind, default: breaker].succeeded(pass)
        } else {
          state.breakers[kind, default: breaker].failed(pass, now: now)
        }
        guard now >= state.nextWarning else { return nil }
        state.nextWarning = now + Webhook.warningPause
        return fault.reason
      }
    }
    if let fault {
      log.warning("the webhook's backend does not decide", metadata: [LogKey.error: "\(fault)"])
    }
    switch read {
    case .success(let answer):
      if case .failure = answer.result { metrics.denied.add() }
      return answer.result
    case .failure(let fault):
      metrics.failed.add()
      let error = ClientError(.unavailable, Webhook.silence)
      // Who asks oddly opens nothing by it.
      return fault.isOfQuestion ? .failure(error) : failure(kind, error)
    }
  }

  /// What a question comes to that has no answer.
  private func failure(_ kind: Question.Kind, _ error: ClientError) -> Result<Decision, ClientError> {
    settings.failsOpen.contains(kind) ? .success(Decision()) : .failure(error)
  }

  /// Why an answer is none.
  private struct Fault: Error {
    let reason: String
    /// The backend works, and could do nothing with this question.
    var isOfQuestion = false
  }

  /// Statuses of the 400s that say that the backend has too much to do (RFC 9110 section 15.5.9, RFC 6585 section 4).
  private static let busy: [HTTPResponseStatus] = [.requestTimeout, .tooManyRequests]

  private static func read(
    _ result: Result<HTTPClient.Response, any Error>,
    _ kind: Question.Kind
  ) -> Result<WebhookAnswer, Fault> {
    switch result {
    case .failure(let error): return .failure(Fault(reason: "\(error)"))
    case .success(let response):
      guard response.status == .ok else {
        let isOfQuestion = (400...499).contains(response.status.code) && !busy.contains(response.status)
        return .failure(
          Fault(reason: "it answered \(response.status.code), expected 200", isOfQuestion: isOfQuestion)
        )
      }
      guard let body = response.body, let answer = WebhookAnswer(body, to: kind) else {
        return .failure(Fault(reason: #"its answer is not {"allow": true or false, …}"#))
      }
      return .success(answer)
    }
  }
}
