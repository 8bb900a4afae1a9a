import NIOCore
public import NIOHTTP1
import Wire

extension ResilientSubscriber {
  /// Where the next connection goes.
  var endpoint: Endpoint {
    var endpoint = endpointNow
    if let readRate { endpoint.readRate = readRate }
    return endpoint
  }

  /// Opens a connection: the first, one after a loss, or the successor of one that goes on.
  /// - Parameter trial: the better transport that is tried, if it is for that.
  func dialNow(trying trial: SubscriberTransport? = nil) {
    dial?.cancel()
    dial = nil
    guard !isStopped, givenUp == nil, followed.contains(where: \.isActive) else { return }
    guard !isPaused else { return isDialDue = true }
    let transport = trial ?? ladder.current
    let leg = SubscriberLeg(
      serial: connections.count,
      transport: transport,
      isTrial: trial != nil,
      revision: revision
    )
    connections.append(DeliveryJournal.Connection(transport: transport, dialedAt: .now()))
    if current == nil { current = leg } else { successor = leg }
    if leg === current { onState?(.connecting(transport)) }
    switch transport {
    case .webSocket: openWebSocket(leg)
    case .eventStream, .nativeEventSource: openEventStream(leg)
    case .longPoll, .shortPoll: openPolls(leg)
    }
  }

  func scheduleDial(in wait: TimeAmount) {
    guard !isStopped, givenUp == nil, dial == nil else { return }
    dial(in: wait, patience: wait == .zero ? .zero : ResilientSubscriber.latePatience)
  }

  /// Subscribers that share a loop which was late would all dial at once when it goes on: each waits at random a
  /// little longer, as if it had been alone.
  private func dial(in wait: TimeAmount, patience: TimeAmount) {
    let due = NIODeadline.now() + wait
    dialDue = due
    dial = loop.assumeIsolated().scheduleTask(in: wait) {
      let late = NIODeadline.now() - due
      guard late > .milliseconds(5), patience > late else { return self.dialNow() }
      let more = TimeAmount.nanoseconds(.random(in: 0...4 * late.nanoseconds))
      self.dial(in: min(more, patience), patience: patience - late - more)
    }
  }

  /// How much later than it was due a connection may be begun on purpose.
  private static let latePatience = TimeAmount.milliseconds(500)

  /// Every channel of the leg is subscribed.
  func ready(_ leg: SubscriberLeg) {
    if connections[leg.serial].readyAt == nil {
      connections[leg.serial].readyAt = .now()
      onReady?(connections[leg.serial])
    }
    backoff.succeeded()
    refusedTokens = 0
    ladder.worked(leg.transport)
    if leg === successor {
      let old = current
      current = leg
      successor = nil
      old?.letGo()
    }
    guard leg === current else { return }
    onState?(.connected(leg.transport, node: connections[leg.serial].node))
    if leg.revision != revision { leg.isToBeReplaced = true }
    if leg.isToBeReplaced, successor == nil { scheduleDial(in: .zero) }
    scheduleClimb()
  }

  /// The node asks to go elsewhere after a delay; the leg goes on until a successor is subscribed.
  func sentAway(_ leg: SubscriberLeg, after wait: TimeAmount) {
    connections[leg.serial].sentAwayAt = .now()
    leg.isToBeReplaced = true
    let longest = max(.minutes(1), settings.backoff.ceiling)
    if leg === current, successor == nil { scheduleDial(in: min(max(wait, .zero), longest)) }
  }

  /// A leg has ended.
  func ended(_ leg: SubscriberLeg, _ end: LegEnd) {
    guard !leg.hasEnded else { return }
    leg.hasEnded = true
    connections[leg.serial].endedAt = .now()
    connections[leg.serial].end = end.reason
    connections[leg.serial].closeCode = end.closeCode
    connections[leg.serial].longestPause = leg.longestPause
    if isStopped || (leg !== current && leg !== successor) { connections[leg.serial].wasLetGo = true }
    onEnd?(connections[leg.serial])
    leg.abort()
    leg.links = []
    guard !isStopped, leg === current || leg === successor else { return }
    let wasTrial = leg.isTrial && leg === successor
    if leg === current {
      current = successor
      successor = nil
    } else {
      successor = nil
    }
    if wasTrial { trialFailed(leg, end) } else { goOn(after: leg, end) }
  }

  private func goOn(after leg: SubscriberLeg, _ end: LegEnd) {
    let life = connections[leg.serial].readyAt.map { NIODeadline.now() - $0 }
    if let life, life > .minutes(1) { climbWait = settings.climbAfter }
    switch end.sequel {
    case .again where leg.isTrial && life == nil, .otherwise where leg.isTrial && life == nil:
      // The connection beside which it was tried has ended too, but its transport is known to work.
      redial(in: settings.backoff.floor, end.reason)
    case .later(let wait):
      redial(in: wait, end.reason)
    case .again(let wait):
      // One that was paused for long is closed by the node, which says nothing of its transport.
      if !isPaused, life.map({ ladder.lost(after: $0) }) ?? ladder.failed() { _ = ladder.stepDown() }
      redial(in: wait, end.reason)
    case .otherwise(let wait):
      let isRound = ladder.stepDown()
      redial(in: isRound ? wait : settings.backoff.floor, end.reason)
    case .disabled:
      if ladder.strike(leg.transport) {
        redial(in: settings.backoff.floor, end.reason)
      } else {
        giveUp(end.reason)
      }
    case .unauthorized:
      refusedTokens += 1
      guard let onUnauthorized, refusedTokens < 3 else { return giveUp(end.reason) }
      onState?(.waiting(.zero, reason: end.reason))
      onUnauthorized()
    case .never:
      giveUp(end.reason)
    }
  }

  private func redial(in wait: TimeAmount, _ reason: String) {
    guard current == nil || current?.isToBeReplaced == true, successor == nil else { return }
    if current == nil {
      // A connection that was to be replaced later is gone now.
      if dial != nil, dialDue > .now() + wait {
        dial?.cancel()
        dial = nil
      }
      onState?(.waiting(wait, reason: reason))
    }
    scheduleDial(in: wait)
  }

  /// Connects anew with other headers, as `onUnauthorized` asked for.
  public func authorize(_ headers: HTTPHeaders) {
    self.headers = headers
    if isStarted, current == nil { dialNow() }
  }

  /// Ends it for good, as a refusal does.
  public func giveUp(_ reason: String) {
    guard givenUp == nil, !isStopped else { return }
    givenUp = reason
    end()
    onState?(.ended(reason: reason))
    onState = nil
    onGivenUp?(reason)
  }

  func end() {
    for timer in [dial, watch, climb] { timer?.cancel() }
    dial = nil
    watch = nil
    climb = nil
    successor?.letGo()
    current?.letGo()
    onEvent = nil
  }

  func scheduleWatch() {
    guard !isStopped, givenUp == nil else { return }
    watch = loop.assumeIsolated().scheduleTask(in: .milliseconds(.random(in: 4_000...6_000))) {
      self.giveUpSilentLegs()
      self.scheduleWatch()
    }
  }

  private func giveUpSilentLegs() {
    guard !isPaused else { return }
    for leg in [current, successor].compactMap({ $0 }) {
      let now = NIODeadline.now()
      if leg.isReady {
        if now - leg.lastHeard > settings.longestSilence { leg.abort() }
      } else if !isHeldBack, now - leg.openingSince > settings.openingTimeout {
        leg.abort()
      }
    }
  }

  func keepRoute(_ headers: HTTPHeaders) {
    if let value = RouteCookie.value(in: headers) { routeCookie = value }
  }

  /// What every request carries.
  var requestHeaders: HTTPHeaders {
    var headers = headers
    if let routeCookie { RouteCookie.add(routeCookie, to: &headers) }
    return headers
  }
}
