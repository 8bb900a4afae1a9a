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
      begins(GatewaySocket.readWeight)
      worker.readPresence(of: channel, limit: limit, after: after) { [weak self] in
        defer { self?.ends(GatewaySocket.readWeight) }
        self?.answer($0, id) { .presence(id: id, channel: channel, page: $0) }
      }
    case .history(let channel, let range, let limit):
      begins(GatewaySocket.readWeight)
      worker.readHistory(of: channel, range, limit: limit) { [weak self] in
        defer { self?.ends(GatewaySocket.readWeight) }
        self?.answer($0, id) { page in
          .history(id: id, channel: channel, messages: page.messages, cursor: page.cursor, gap: page.gap)
        }
      }
    case .token:
      refuse(ClientError(.unauthorized, "this node has no token keys"), id)
    case .ping:
      send(.pong(id: id))
    }
  }

  private func subscribe(_ channel: ChannelName, since: Since?, presence: PresenceWish?, id: Int64?) {
    let verdict = meter.subscribeArrived(worker.context.sending, now: worker.entry.eventLoop.now)
    guard takes(verdict, id, isSubscribe: true) else { return }
    guard subscriber.subscription(to: channel) == nil else {
      return refuse(ClientError(.alreadySubscribed, "already subscribed to \(channel)"), id)
    }
    guard subscriber.subscriptions.count < worker.context.channelsPerConnection else {
      worker.context.metrics.over.channels.add()
      return refuse(
        ClientError(.rateLimited, "at most \(worker.context.channelsPerConnection) channels a connection"),
        id
      )
    }
    if let error = worker.refusal(toSubscribe: channel, presence: presence) { return refuse(error, id) }
    worker.shard.subscribe(subscriber, to: channel, since: since, hearsPresence: presence != nil) {
      [weak self] in
      guard let self else { return }
      switch $0 {
      case .success(let answer):
        send(.subscribed(id: id, channel: channel, cursor: answer.cursor, resumed: answer.resumed))
        if presence == .join { worker.presence.join(channel, session, user: user, holder: holder) }
      case .failure(let error): refuse(error, id)
      }
    }
  }

  private func unsubscribe(_ channel: ChannelName, id: Int64?) {
    guard worker.shard.unsubscribe(subscriber, from: channel) else {
      return refuse(ClientError(.notSubscribed, "not subscribed to \(channel)"), id)
    }
    worker.presence.leave(channel, holder: holder, after: .zero)
    send(.unsubscribed(id: id, channel: channel))
  }

  private func publish(_ data: ByteBuffer, to channel: ChannelName, key: String?, id: Int64?) {
    begins(1)
    worker.publish(data, to: channel, user: user, key: key) { [weak self] in
      defer { self?.ends(1) }
      self?.answer($0, id) { .published(id: id, channel: channel, cursor: $0.cursor) }
    }
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
