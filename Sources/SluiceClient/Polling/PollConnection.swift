public import NIOCore
public import NIOHTTP1

/// A series of polls over one connection that is kept alive. Everything about it happens on its loop, its methods
/// are to be called there.
///
/// The first is a short one, or one of a second where short ones are switched off: its answer says that the series
/// has begun, and from where. It does not try again after a failure. What happens is told to `events`, `closed` last and exactly once.
public final class PollConnection {
  public enum Event: Sendable {
    /// Also where nothing has happened. With the head, which may set a cookie.
    case answered(PollAnswer, HTTPHeaders)
    case closed(Closure)
  }

  /// How a series ended.
  public enum Closure: Sendable {
    /// There was no answer. It is unreachable when there was not even a connection.
    case failed(String, isUnreachable: Bool)
    /// The answer was neither `200` with a poll's body nor `304`.
    case refused(HTTPResponse)
    /// By this side.
    case aborted
  }

  /// Beside the time that a poll is held.
  private static let timeout = TimeAmount.seconds(10)

  public let loop: any EventLoop
  private let http: HTTPConnection
  private let wish: PollWish
  private var events: ((Event) -> Void)?
  private var cursor: String?
  private var validator: String?
  private var session: String?
  private var routeCookie: String?
  /// Of the first poll, in seconds.
  private var firstWait = 0
  private var pause: Scheduled<Void>?
  private var isPaused = false
  /// A poll waits for the end of a pause.
  private var isDue = false
  /// When an answer last arrived.
  public private(set) var lastHeard = NIODeadline.now()
  /// Of long polls, the longest time between an answer and the next poll on its way: a connection that was closed
  /// has to be made anew.
  public private(set) var longestPause = TimeAmount.zero

  /// Begins with the first poll. To be called on `loop`.
  public init(
    to endpoint: Endpoint,
    _ wish: PollWish,
    on loop: any EventLoop,
    events: @escaping (Event) -> Void
  ) {
    self.loop = loop
    self.wish = wish
    self.events = events
    session = wish.session
    routeCookie = wish.routeCookie
    http = HTTPConnection(to: endpoint, on: loop)
    poll()
  }

  /// Ends it. A poll that is held is let go with its connection.
  public func abort() {
    close(.aborted)
  }

  /// While it is paused no poll is begun.
  public func setPaused(_ isPaused: Bool) {
    self.isPaused = isPaused
    guard !isPaused, isDue else { return }
    isDue = false
    lastHeard = .now()
    poll()
  }

  private func poll() {
    guard events != nil else { return }
    guard !isPaused else { return isDue = true }
    var request = HTTPRequest(.GET, wish.path(after: cursor, firstWait: firstWait), headers: wish.headers)
    if wish.presence != nil, let session { request.headers.add(name: "Sluice-Session", value: session) }
    if let routeCookie { RouteCookie.add(routeCookie, to: &request.headers) }
    var timeout = PollConnection.timeout
    if case .held(let seconds) = wish.pace {
      timeout = timeout + .seconds(Int64(seconds))
    } else if let validator {
      request.headers.add(name: "If-None-Match", value: validator)
    }
    http.send(request, timeout: timeout) { result in self.answered(result) }
  }

  private func answered(_ result: Result<HTTPResponse, HTTPFailure>) {
    guard events != nil else { return }
    if cursor != nil, case .held = wish.pace { longestPause = max(longestPause, http.sentAt - lastHeard) }
    lastHeard = .now()
    switch result {
    case .failure(let failure):
      close(.failed(failure.description, isUnreachable: failure.isUnreachable))
    case .success(let response):
      routeCookie = RouteCookie.value(in: response.headers) ?? routeCookie
      if cursor == nil, firstWait == 0, case .held = wish.pace, response.isTransportDisabled {
        firstWait = 1
        return poll()
      }
      guard let answer = answer(of: response) else { return close(.refused(response)) }
      cursor = answer.cursor
      if let tag = response.headers.first(name: "ETag") { validator = tag }
      if let session = response.headers.first(name: "Sluice-Session") { self.session = session }
      events?(.answered(answer, response.headers))
      goOn(after: response.headers)
    }
  }

  private func answer(of response: HTTPResponse) -> PollAnswer? {
    switch response.status {
    case .ok: PollAnswer(response.body)
    case .notModified: cursor.map { PollAnswer(unchanged: $0) }
    default: nil
    }
  }

  private func goOn(after headers: HTTPHeaders) {
    guard events != nil else { return }
    switch wish.pace {
    case .held: poll()
    case .every(let asked):
      let hint = headers.first(name: "X-Poll-Interval").flatMap { Int64($0) } ?? 2
      let hinted = Double(min(max(hint, 1), 60)) * .random(in: 0.9...1.1)
      let wait = asked ?? .nanoseconds(Int64(hinted * 1_000_000_000))
      pause = loop.assumeIsolated().scheduleTask(in: wait) { self.poll() }
    }
  }

  private func close(_ closure: Closure) {
    guard let events = events.take() else { return }
    pause?.cancel()
    pause = nil
    http.close()
    events(.closed(closure))
  }
}

@available(*, unavailable)
extension PollConnection: Sendable {}
