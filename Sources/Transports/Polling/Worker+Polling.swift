import Delivery
import NIOCore
import NIOHTTP1
import Telemetry
import Wire

extension Worker {
  func addPollRoutes(to routes: inout RouteTable) {
    routes.add(.GET, "/v1/poll") { [unowned self] request, responder in
      do throws(ClientError) {
        let wait = try request.pollWait
        guard admits(request, by: wait == .zero ? .shortPoll : .longPoll, responder) else { return }
        poll(try question(of: request, wait: wait), responder)
      } catch {
        responder.respond(error)
      }
    }
  }

  private func question(of request: HTTPRequest, wait: TimeAmount) throws(ClientError) -> PollQuestion {
    let channels = try request.channels(atMost: Worker.channelsPerStream)
    let presence = try request.presenceWish
    for channel in channels {
      if let error = refusal(toSubscribe: channel, presence: presence) { throw error }
    }
    var question = PollQuestion(channels: channels, since: try request.sinceSet, wait: wait)
    question.presence = presence
    let given = request.headers.first(name: "Sluice-Session")
    if presence != nil {
      question.session = given.flatMap { Session(secret: $0, user: nil) }
      question.tellsSession = question.session == nil
      question.session = question.session ?? Session(user: nil)
    }
    question.proxied = proxiedAddress(of: request)
    if wait == .zero {
      question.validators = request.headers["If-None-Match"]
      let isPrivate = presence != nil || given != nil || request.isPersonal
      question.maxAge = isPrivate ? nil : channels.map { context.namespaces[$0].pollMaxAge }.min()
    }
    return question
  }

  private func poll(_ question: PollQuestion, _ responder: Responder) {
    // Who keeps a place in presence by polling is a session like any other.
    let goesElsewhere = isRefusing && (question.isLong || question.presence == .join)
    if goesElsewhere || (question.isLong && isNew(question)), let refusal = refusalToHold(question.proxied) {
      return responder.respond(refusal)
    }
    let poll = Poll(question, worker: self, responder: responder)
    responder.onGone = { poll.abandoned() }
    var waiting = question.channels.count
    var failure: ClientError?
    for channel in question.channels {
      shard.subscribe(
        poll.subscriber,
        to: channel,
        since: question.since?.since(channel),
        hearsPresence: question.presence != nil
      ) { [shard] in
        if case .failure(let error) = $0 { failure = error }
        waiting -= 1
        guard waiting == 0 else { return }
        guard let failure else { return poll.begin() }
        shard.remove(poll.subscriber)
        responder.respond(failure)
      }
    }
  }

  /// Whether a poll costs what a connection costs. One that goes on where another has ended does not: its channels
  /// are followed here, and it is answered from memory.
  private func isNew(_ question: PollQuestion) -> Bool {
    question.since == nil || !question.channels.allSatisfy(shard.isFollowing)
  }

  /// What a client is told of when to poll again, in seconds.
  func pollInterval(for subscriber: Subscriber) -> Int {
    PollPace.seconds(
      quiet: shard.quietSeconds(of: subscriber),
      lag: lag.recent,
      from: context.pollInterval,
      to: context.pollIntervalMaximum
    )
  }
}

extension HTTPRequest {
  /// Whether the request says who asks: then its answer is for nobody else.
  fileprivate var isPersonal: Bool {
    headers.contains(name: "Authorization") || query["token"] != nil || query["session"] != nil
  }
}
