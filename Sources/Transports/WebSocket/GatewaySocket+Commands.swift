import Admission
import Brokering
import Delivery
import NIOCore
import Telemetry
import Wire

extension GatewaySocket {
  func perform(_ command: ClientCommand, id: Int64?) {
    switch command {
    case .subscribe(let channel, let since, let presence):
      subscribe(channel, since: since, presence: presence, id: id)
    case .unsubscribe(let channel):
      unsubscribe(channel, id: id)
    case .publish(let channel, let data, let key):
      publish(data, to: channel, key: key, id: id)
    case .presence(let channel, let limit, let after):
      let weight = max(GatewaySocket.readWeight, weight(of: .subscribe))
      begins(weight)
      worker.readPresence(of: channel, limit: limit, after: after, by: caller, over: .webSocket) {
        [weak self] in
        defer { self?.ends(weight) }
        self?.answer($0, id) { .presence(id: id, channel: channel, page: $0) }
      }
    case .history(let channel, let range, let limit):
      let weight = max(GatewaySocket.readWeight, weight(of: .subscribe))
      begins(weight)
      worker.readHistory(of: channel, range, limit: limit, by: caller, over: .webSocket) { [weak self] in
        defer { self?.ends(weight) }
        self?.answer($0, id) { page in
          .history(id: id, channel: channel, messages: page.messages, cursor: page.cursor, gap: page.gap)
        }
      }
    case .token(let token):
      refresh(token, id: id)
    case .ping:
      send(.pong(id: id))
    }
  }

  private func subscribe(_ channel: ChannelName, since: Since?, presence: PresenceWish?, id: Int64?) {
    let verdict = meter.subscribeArrived(worker.context.sending, now: worker.entry.eventLoop.now)
    guard takes(verdict, id) else { return }
    guard subscriber.subscription(to: channel) == nil, asking[channel] == nil else {
      return refuse(ClientError(.alreadySubscribed, "already subscribed to \(channel)"), id)
    }
    guard subscriber.subscriptions.count + asking.count < worker.context.channelsPerConnection else {
      worker.context.metrics.over.channels.add()
      return refuse(
        ClientError(.rateLimited, "at most \(worker.context.channelsPerConnection) channels a connection"),
        id
      )
    }
    questions += 1
    let question = questions
    asking[channel] = question
    let weight = weight(of: .subscribe)
    begins(weight)
    worker.permit(
      subscribing: [channel],
      fromStart: since == .start,
      presence: presence,
      by: caller,
      over: .webSocket,
      member: session.member
    ) { [weak self] error in
      defer { self?.ends(weight) }
      guard let self, connection?.isOpen == true else { return }
      guard asking[channel] == question else {
        return refuse(ClientError(.notSubscribed, "unsubscribed meanwhile from \(channel)"), id)
      }
      asking[channel] = nil
      // Another token may have come while the backend was asked.
      let refusal =
        weight > 0
        ? worker.refusal(toSubscribe: channel, fromStart: since == .start, presence: presence, by: caller)
        : nil
      if let error = error ?? refusal { return refuse(error, id) }
      follow(channel, since: since, presence: presence, id: id)
    }
  }

  private func follow(_ channel: ChannelName, since: Since?, presence: PresenceWish?, id: Int64?) {
    if let refusal = worker.refusalToFollow(CollectionOfOne(channel), by: caller) {
      return refuse(refusal, id)
    }
    worker.shard.subscribe(subscriber, to: channel, since: since, hearsPresence: presence != nil) {
      [weak self] in
      guard let self else { return }
      switch $0 {
      case .success(let answer):
        send(.subscribed(id: id, channel: channel, cursor: answer.cursor, resumed: answer.resumed))
        if presence == .join { worker.presence.join(channel, session, by: caller, holder: holder) }
      case .failure(let error): refuse(error, id)
      }
    }
    if presence != nil, subscriber.onTooSlow == nil {
      subscriber.onTooSlow = { [weak self] in self?.isTooSlow("too many joins and leaves were not read") }
    }
    let weight = GatewaySocket.readWeight
    if worker.shard.isAsking(for: channel, until: { [weak self] in self?.ends(weight) }) { begins(weight) }
  }

  private func unsubscribe(_ channel: ChannelName, id: Int64?) {
    let wasAsking = asking.removeValue(forKey: channel) != nil
    guard worker.shard.unsubscribe(subscriber, from: channel) || wasAsking else {
      return refuse(ClientError(.notSubscribed, "not subscribed to \(channel)"), id)
    }
    worker.presence.leave(channel, holder: holder, after: .zero)
    send(.unsubscribed(id: id, channel: channel))
  }

  private func publish(_ data: ByteBuffer, to channel: ChannelName, key: String?, id: Int64?) {
    let weight = max(1, weight(of: .publish))
    begins(weight)
    worker.publish(data, to: channel, by: caller, over: .webSocket, member: session.member, key: key) {
      [weak self] in
      defer { self?.ends(weight) }
      self?.answer($0, id) { .published(id: id, channel: channel, cursor: $0.cursor) }
    }
  }

  /// Goes on with another token of the same user. What it grants no longer ends, all else goes on untouched.
  private func refresh(_ token: String, id: Int64?) {
    guard let tokens = worker.context.tokens else {
      return refuse(ClientError(.unauthorized, "this node has no token keys"), id)
    }
    let weight = weight(of: .connect)
    begins(weight)
    worker.verify(token, with: tokens, from: caller.clientAddress) { [weak self] in
      guard let self else { return }
      switch $0 {
      case .failure(let error):
        ends(weight)
        refuseToken(error, id)
      case .success(let claims):
        let caller = tokens.caller(claims, from: caller.origin)
        worker.decideConnect(caller, over: .webSocket) { [weak self] in
          defer { self?.ends(weight) }
          switch $0 {
          case .failure(let error): self?.refuseToken(error, id)
          case .success(let caller): self?.refresh(to: caller, id: id)
          }
        }
      }
    }
  }

  private func refuseToken(_ error: ClientError, _ id: Int64?) {
    guard connection?.isOpen == true else { return }
    refuse(error, id)
    // That its address has shown too many bad ones says nothing of this client.
    if error.code != .rateLimited { strike() }
  }

  private func refresh(to new: Caller, id: Int64?) {
    guard connection?.isOpen == true else { return }
    guard new.user.map(ExactText.init) == caller.user.map(ExactText.init) else {
      return refuseToken(
        ClientError(.unauthorized, "the token is another user's, and the session is not: connect anew"),
        id
      )
    }
    let old = caller
    refreshed(new)
    // As the token says it: the leeway is for wrong clocks, and who renews by it would come too late.
    let leeway = worker.context.tokens?.rules.leeway ?? 0
    send(.refreshed(id: id, expires: new.expires.map { ($0 - leeway) / 1_000 }))
    // Many channels and many patterns make that a long search, which a client may ask for a thousand times a second.
    guard new.rights != old.rights else { return worker.shard.flush() }
    for subscription in subscriber.subscriptions {
      let channel = subscription.channel
      let presence: PresenceWish? = subscription.hearsPresence ? .watch : nil
      guard worker.refusal(toSubscribe: channel, presence: presence, by: new) != nil else { continue }
      _ = worker.shard.unsubscribe(subscriber, from: channel)
      worker.presence.leave(channel, holder: holder, after: .zero)
      send(.unsubscribed(id: nil, channel: channel))
    }
    worker.shard.flush()
  }

  private func refuse(_ error: ClientError, _ id: Int64?) {
    send(.error(id: id, error))
    worker.shard.flush()
  }

  private func answer<Answer>(
    _ result: Result<Answer, ClientError>,
    _ id: Int64?,
    _ event: (Answer) -> ServerEvent
  ) {
    switch result {
    case .success(let answer): self.answer(event(answer))
    case .failure(let error): refuse(error, id)
    }
  }
}
