internal import Logging
internal import NIOCore
internal import Sessions
private import Telemetry
internal import Wire

/// Carries out the drain of one node: tells the event loops what the state machine decides.
///
/// Called from any thread; everything happens on one event loop, in the order of the calls.
final class Conductor: Sendable {
  let settings: NodeSettings
  let loop: any EventLoop
  let crews: [Crew]
  let stage: NIOLoopBoundBox<Stage>
  private let status: NodeStatus
  /// Connections a second that the other nodes take together; nil when there are none, or that is not known.
  let others: @Sendable () async -> Double?
  private let exit: EventLoopPromise<Int32>
  let log: Logger
  private let changed: @Sendable () -> Void

  struct Stage {
    var drain = Drain()
    var ticker: RepeatedTask?
    /// A count is under way; the next tick waits for it.
    var isCounting = false
    /// Untold sessions by crew, at the last count.
    var untold: [Int] = []
    /// Sessions that ever had to be closed after a goodbye, at the last count.
    var outstayed = 0
    var opinion = Opinion()
    /// The log says so.
    var isStretched = false
  }

  /// - Parameters:
  ///   - others: asked some times a second while a drain is under way.
  ///   - changed: called on `loop` when the state has become another.
  init(
    settings: NodeSettings,
    status: NodeStatus,
    loop: any EventLoop,
    crews: [Crew],
    log: Logger,
    others: @escaping @Sendable () async -> Double? = { nil },
    changed: @escaping @Sendable () -> Void
  ) {
    self.settings = settings
    self.status = status
    self.loop = loop
    self.crews = crews
    self.log = log
    self.others = others
    self.changed = changed
    exit = loop.makePromise()
    stage = NIOLoopBoundBox.makeBoxSendingValue(Stage(), eventLoop: loop)
  }

  deinit {
    exit.fail(CancellationError())
  }

  /// The code with which to exit, once it is time to shut down.
  var exitCode: EventLoopFuture<Int32> { exit.futureResult }

  /// The node can serve.
  func started() {
    loop.execute { self.handle { $0.started() } }
  }

  /// The node cannot serve, and never will: `exitCode` fails.
  func abandoned(_ error: any Error) {
    exit.fail(error)
  }

  /// A signal to stop.
  func signalled() {
    loop.execute {
      self.handle {
        $0.signalled(
          window: self.settings.drainWindow,
          settle: self.settings.settle,
          held: self.status.connections.all,
          now: .now()
        )
      }
    }
  }

  /// Does what an operator asks for; answers the node's object afterwards, or why it was not done.
  func carryOut(_ command: NodeCommand) -> EventLoopFuture<Result<ByteBuffer, ClientError>> {
    loop.submit {
      switch command.act {
      case .drain(let seconds):
        let window = seconds.map { TimeAmount.seconds($0) } ?? self.settings.drainWindow
        return self.drain(over: window, by: command.by)
      case .undrain: return self.undrain(by: command.by)
      }
    }
  }

  // MARK: - On the loop

  private func drain(over window: TimeAmount, by operator: String) -> Result<ByteBuffer, ClientError> {
    guard stage.value.drain.state != .starting else {
      return .failure(ClientError(.unavailable, "the node is starting"))
    }
    log.notice(
      "an operator drains the node",
      metadata: [LogKey.seconds: "\(window.nanoseconds / 1_000_000_000)", LogKey.by: "\(`operator`)"]
    )
    let held = status.connections.all
    handle { $0.drainCommanded(window: window, settle: settings.settle, held: held, now: .now()) }
    return .success(status.report.json)
  }

  private func undrain(by operator: String) -> Result<ByteBuffer, ClientError> {
    guard stage.value.drain.state != .starting else {
      return .failure(ClientError(.unavailable, "the node is starting"))
    }
    if stage.value.drain.state != .ready {
      log.notice("an operator calls the drain off", metadata: [LogKey.by: "\(`operator`)"])
    }
    handle { $0.undrainRequested() }
    guard stage.value.drain.canServeAgain else {
      var error = ClientError(.draining, "it is too late: the drain is over and the node stops")
      error.retryAfterMS = nil
      return .failure(error)
    }
    return .success(status.report.json)
  }

  func handle(_ event: (inout Drain) -> Drain.Action?) {
    let before = stage.value.drain.state
    let action = event(&stage.value.drain)
    // Whoever is told that the node is ready is taken.
    let accepts = if case .acceptNew? = action { true } else { false }
    if let action, accepts { perform(action) }
    publish(since: before)
    if before != .drained, stage.value.drain.state == .drained {
      for crew in crews { crew.tell { $0.drainEnded() } }
    }
    if let action, !accepts { perform(action) }
    keepTime()
  }

  private func publish(since before: NodeState) {
    let drain = stage.value.drain
    let now = NodeStatus.Standing(state: drain.state, drain: drain.progress)
    status.standing = now
    if drain.isStretched != stage.value.isStretched {
      stage.value.isStretched = drain.isStretched
      if drain.isStretched { log.notice("the drain takes longer: the other nodes cannot take its pace") }
    }
    guard now.state != before else { return }
    log.notice(
      "the node is \(now.state.rawValue)",
      metadata: [LogKey.state: "\(now.state.rawValue)", LogKey.count: "\(now.drain?.remaining ?? 0)"]
    )
    // A node that is ended at once has not stopped as it should: the others find it dead.
    if now.state != .stopped { changed() }
  }

  private func perform(_ action: Drain.Action) {
    switch action {
    case .acceptNew: for crew in crews { crew.tell { $0.refuseNew(false) } }
    case .refuseNew: for crew in crews { crew.tell { $0.refuseNew(true) } }
    case .sendAway(let count): sendAway(count)
    case .closeRemaining: closeRemaining()
    case .exit(let code): exit.succeed(code)
    }
  }

  private func keepTime() {
    let needsTicks = stage.value.drain.needsTicks
    if needsTicks, stage.value.ticker == nil {
      stage.value.ticker = loop.scheduleRepeatedTask(initialDelay: .zero, delay: Drain.tick) { _ in
        self.tick()
      }
    } else if !needsTicks {
      stage.value.ticker?.cancel()
      stage.value.ticker = nil
      stage.value.opinion = Opinion()
    }
  }
}
