import Admission
import Delivery
import Framing
import NIOCore
import NIOHTTP1
import Telemetry
import Wire

extension Worker {
  func addPollRoutes(to routes: inout RouteTable) {
    routes.add(.GET, "/v1/poll") { [unowned self] request, responder in
      do throws(ClientError) {
        let wait = try request.pollWait
        let transport = wait == .zero ? TransportKind.shortPoll : .longPoll
        admit(request, by: transport, responder) { [self] caller in
          do throws(ClientError) {
            let question = try question(of: request, wait: wait, by: caller)
            permit(
              subscribing: question.channels,
              fromStart: question.since == .start,
              presence: question.presence,
              by: caller,
              over: transport,
              member: question.session?.member,
              while: { responder.isOpen }
            ) { [self] error in
              guard responder.isOpen else { return }
              if let error { return responder.respond(error) }
              poll(question, responder)
            }
          } catch {
            responder.respond(error)
          }
        }
      } catch {
        responder.respond(error)
      }
    }
  }

  private func question(
    of request: HTTPRequest,
    wait: TimeAmount,
    by caller: Caller
  ) throws(ClientError) -> PollQuestion {
    let channels = try channels(of: request)
    let presence = try request.presenceWish
    var question = PollQuestion(channels: channels, caller: caller, since: try request.sinceSet, wait: wait)
    question.presence = presence
    let given = request.headers.first(name: "Sluice-Session")
    if presence != nil {
      question.session = given.flatMap { Session(secret: $0, user: caller.user) }
      question.tellsSession = question.session == nil
      question.session = question.session ?? Session(user: caller.user)
    }
    question.isReturning = givenSession(of: request, caller) != nil
    question.proxied = proxiedAddress(of: request)
    if wait == .zero {
      question.validators = request.headers["If-None-Match"]
      // What a backend allows this client it may refuse another.
      let isDecided = asks(.connect) || asks(.subscribe)
      let isPrivate = presence != nil || given != nil || isDecided || request.isPersonal
      question.maxAge = isPrivate ? nil : channels.map { context.namespaces[$0].pollMaxAge }.min()
    }
    return question
  }

  private func poll(_ question: PollQuestion, _ responder: Responder) {
    // Only who is held has a place: a short poll is over at once. Who keeps a place in presence by polling is a session
    // like any other, and goes elsewhere with the others.
    guard question.isLong else {
      if isRefusing, question.presence == .join, let refusal = refusalForRoom() {
        return responder.respond(refusal)
      }
      if let refusal = refusalToFollow(question) { return responder.respond(refusal) }
      return follow(Poll(question, worker: self, responder: responder, heldPlace: nil), responder)
    }
    comeIn(
      question.proxied,
      question.caller,
      isNew: isNew(question),
      isReturning: question.isReturning
    ) { [self] in
      switch $0 {
      case .failure(let refusal): responder.respond(refusal)
      case .success(let place):
        let poll = Poll(question, worker: self, responder: responder, heldPlace: place)
        guard responder.isOpen else { return poll.abandoned() }
        if let refusal = refusalToFollow(question) {
          poll.abandoned()
          return responder.respond(refusal)
        }
        follow(poll, responder)
      }
    }
  }

  /// Who goes on from a position may have logs read for it, and who joins by a poll stays for longer than that takes.
  private func refusalToFollow(_ question: PollQuestion) -> ClientError? {
    if question.since != nil, let refusal = refusalToResume(by: question.caller) { return refusal }
    var joins = 0
    if context.follows != nil, question.presence == .join, let session = question.session {
      joins = question.channels.count { !presence.isHeld($0, by: session) }
    }
    return refusalToFollow(question.channels, by: question.caller, joins: joins)
  }

  private func follow(_ poll: Poll, _ responder: Responder) {
    let question = poll.question
    responder.onGone = { poll.abandoned() }
    var waiting = question.channels.count
    var failure: ClientError?
    var reads = 0
    for channel in question.channels {
      let since = question.since?.since(channel)
      // One that is new here was charged as that, and what is asked already is asked for all who wait for it.
      let mayRead = since != nil && shard.isSettled(channel)
      let unanswered = waiting
      shard.subscribe(
        poll.subscriber,
        to: channel,
        since: since,
        hearsPresence: question.presence != nil
      ) {
        if case .failure(let error) = $0 { failure = error }
        waiting -= 1
        guard waiting == 0 else { return }
        guard let failure else { return poll.begin() }
        poll.abandoned()
        responder.respond(failure)
      }
      // What memory has is answered at once.
      if mayRead, waiting == unanswered { reads += 1 }
    }
    charge(reads: reads, to: question.caller)
  }

  /// Whether a poll costs what a new connection costs. One that goes on where another has ended does not: its channels
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
      || WebSocketHandshake.bearerToken(in: headers) != nil
  }
}
