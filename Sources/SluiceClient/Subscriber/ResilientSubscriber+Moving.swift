import NIOCore

extension ResilientSubscriber {
  /// Goes on over another transport, or at another endpoint, or both. It connects there first, and lets the present
  /// connection go once every channel is subscribed there.
  public func move(to transport: SubscriberTransport, endpoint: Endpoint? = nil) {
    ladder.pin(transport)
    if let endpoint { endpointNow = endpoint }
    climb?.cancel()
    climb = nil
    guard isStarted, !isStopped, givenUp == nil else { return }
    if let stale = successor.take() { stale.abort() }
    // One that was never subscribed has no position to hand over.
    if let opening = current, connections[opening.serial].readyAt == nil {
      current = nil
      opening.abort()
    }
    current?.isToBeReplaced = true
    dialNow()
  }

  /// Takes nothing more: what comes stays with the node, for which a connection is a cursor. What was read already
  /// is still told.
  public func pause() {
    guard !isPaused else { return }
    isPaused = true
    current?.setReading(false)
    successor?.setReading(false)
  }

  public func resume() {
    guard isPaused else { return }
    isPaused = false
    for leg in [current, successor].compactMap({ $0 }) {
      leg.openingSince = .now()
      leg.setReading(true)
    }
    if isDialDue {
      isDialDue = false
      if current == nil || successor == nil { dialNow() }
    }
  }

  // MARK: climbing

  /// On a fallback, the better transports are tried again after a while.
  func scheduleClimb() {
    guard climb == nil, !ladder.better.isEmpty, !isStopped, givenUp == nil else { return }
    let wait = TimeAmount.nanoseconds(Int64(Double(climbWait.nanoseconds) * .random(in: 0.9...1.1)))
    climb = loop.assumeIsolated().scheduleTask(in: wait) {
      self.climb = nil
      self.climbWait = min(.nanoseconds(self.climbWait.nanoseconds * 2), .minutes(5))
      self.trials = Array(self.ladder.better)
      self.tryNext()
    }
  }

  /// Tries the best one left beside the connection that works; it takes over when every channel is subscribed.
  private func tryNext() {
    guard let current, current.isReady, successor == nil, dial == nil, !isPaused, !trials.isEmpty else {
      return scheduleClimb()
    }
    dialNow(trying: trials.removeFirst())
  }

  /// The connection that works goes on.
  func trialFailed(_ leg: SubscriberLeg, _ end: LegEnd) {
    if case .disabled = end.sequel { _ = ladder.strike(leg.transport) }
    if current?.isToBeReplaced == true { scheduleDial(in: .zero) } else { tryNext() }
  }
}
