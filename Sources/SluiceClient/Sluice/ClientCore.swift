import NIOCore
import NIOHTTP1
import Wire

/// What a client is on its loop: one subscriber for all channels, requests, and the buffers between them and the
/// app's tasks.
final class ClientCore {
  let loop: any EventLoop
  let endpoint: Endpoint
  let options: Sluice.Options
  let requester: Requester
  private var outlets: [ChannelName: EventBuffer] = [:]
  /// Outlets whose consumers are too slow.
  private var full: Set<ObjectIdentifier> = []
  private var subscriber: ResilientSubscriber?
  private var session: String?
  private var state = ConnectionState.idle
  private var listeners: [UInt64: AsyncStream<ConnectionState>.Continuation] = [:]
  private var lastListener: UInt64 = 0
  private(set) var isClosed = false
  /// Requests under way.
  var tickets: [UInt64: ClientRequestOnItsWay] = [:]
  let keeper: TokenKeeper

  init(_ endpoint: Endpoint, _ options: Sluice.Options, on loop: any EventLoop) {
    self.loop = loop
    self.endpoint = endpoint
    self.options = options
    session = options.session
    requester = Requester(to: [endpoint], connections: 4, backoff: Backoff(ceiling: .seconds(2)), on: loop)
    keeper = TokenKeeper(options.token, options.backoff, on: loop)
  }

  // MARK: subscriptions

  func subscribe(
    _ buffer: EventBuffer,
    _ channels: [ChannelName],
    since: SinceSet?,
    presence: PresenceWish?
  ) {
    guard !isClosed else { return buffer.finish(throwing: SluiceError("the client is closed")) }
    if let taken = channels.first(where: { outlets[$0] != nil }) {
      let message = "\(taken) is subscribed by this client already"
      return buffer.finish(throwing: SluiceError(.alreadySubscribed, message))
    }
    let subscriber = subscriber ?? makeSubscriber()
    for channel in channels {
      outlets[channel] = buffer
      subscriber.follow(channel, since: since?.since(channel), presence: presence)
    }
  }

  /// A subscription is not wanted any more.
  func leave(_ buffer: EventBuffer) {
    for (channel, outlet) in outlets where outlet === buffer {
      outlets[channel] = nil
      subscriber?.unfollow(channel)
    }
    release(buffer)
    if outlets.isEmpty { stopSubscriber() }
  }

  /// Whether nothing more is read, because a consumer is too slow.
  var isHeldBack: Bool { !full.isEmpty }

  /// A slow consumer had caught up. Where it is behind again by now, it says so another time.
  func drained(_ buffer: EventBuffer) {
    if !buffer.isFull { release(buffer) }
  }

  private func release(_ buffer: EventBuffer) {
    full.remove(ObjectIdentifier(buffer))
    if full.isEmpty { subscriber?.resume() }
  }

  private func makeSubscriber() -> ResilientSubscriber {
    var settings = SubscriberSettings(endpoint: endpoint, channels: [])
    settings.transport = options.transports.first ?? .webSocket
    settings.fallbacks = Array(options.transports.dropFirst())
    settings.backoff = options.backoff
    settings.session = session
    let subscriber = ResilientSubscriber(settings, on: loop)
    subscriber.onEvent = { [weak self] in self?.take($0) }
    subscriber.onState = { [weak self] in self?.tell($0) }
    subscriber.onRefused = { [weak self] channel, error in
      self?.end([channel], SluiceError(error.code, error.message))
    }
    subscriber.onGivenUp = { [weak self] reason in self?.givenUp(reason) }
    if options.token != nil {
      subscriber.onUnauthorized = { [weak self, weak subscriber] in
        self?.keeper.renew { subscriber?.authorize($0) }
      }
    }
    self.subscriber = subscriber
    keeper.headers { [weak subscriber] headers in
      subscriber?.authorize(headers)
      subscriber?.start()
    }
    return subscriber
  }

  private func stopSubscriber() {
    guard let subscriber = subscriber.take() else { return }
    session = subscriber.session ?? session
    full = []
    subscriber.stop()
  }

  private func givenUp(_ reason: String) {
    session = subscriber?.session ?? session
    subscriber = nil
    full = []
    end(Array(outlets.keys), SluiceError(reason))
  }

  private func take(_ event: ServerEvent) {
    switch event {
    case .message(let channel, let cursor, let data, let user, let time):
      let json = String(buffer: data)
      push(.message(ChannelMessage(channel: channel, cursor: cursor, json: json, user: user, time: time)))
    case .gap(let channel, let gap): push(.gap(channel, gap))
    case .join(let channel, let member): push(.join(channel, member))
    case .leave(let channel, let member): push(.leave(channel, member))
    default: break
    }
  }

  private func push(_ event: SluiceEvent) {
    guard let outlet = outlets[event.channel], outlet.push(event) else { return }
    full.insert(ObjectIdentifier(outlet))
    subscriber?.pause()
  }

  /// Ends the subscriptions of these channels, and what else they subscribed.
  private func end(_ channels: [ChannelName], _ error: SluiceError) {
    for buffer in channels.compactMap({ outlets[$0] }) {
      buffer.finish(throwing: error)
      leave(buffer)
    }
  }

  // MARK: state

  func listen(_ listener: AsyncStream<ConnectionState>.Continuation, _ home: ClientHome) {
    guard !isClosed else { return listener.finish() }
    lastListener += 1
    let number = lastListener
    listeners[number] = listener
    listener.onTermination = { [weak home] _ in home?.run { $0.listeners[number] = nil } }
    listener.yield(state)
  }

  private func tell(_ state: ConnectionState) {
    guard state != self.state else { return }
    self.state = state
    for listener in listeners.values { listener.yield(state) }
  }

  /// Ends everything: sequences, requests and connections.
  func close() {
    guard !isClosed else { return }
    isClosed = true
    for buffer in outlets.values { buffer.finish() }
    outlets = [:]
    stopSubscriber()
    keeper.close()
    for ticket in tickets.values { ticket.done(.failure(SluiceError("the client is closed"))) }
    tickets = [:]
    requester.close()
    for listener in listeners.values { listener.finish() }
    listeners = [:]
  }
}

@available(*, unavailable)
extension ClientCore: Sendable {}
