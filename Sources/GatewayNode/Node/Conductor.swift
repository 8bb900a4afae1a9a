internal import Logging
internal import NIOCore
internal import Sessions
private import Telemetry

/// Carries out the drain of one node: tells the event loops what the state machine decides.
///
/// Called from any thread; everything happens on one event loop, in the order of the calls.
final class Conductor: Sendable {
  let settings: NodeSettings
  private let loop: any EventLoop
  private let crews: [Crew]
  private let stage: NIOLoopBoundBox<Stage>
  private let status: NodeStatus
  private let exit: EventLoopPromise<Int32>
  private let log: Logger
  private let changed: @Sendable () -> Void

  private struct Stage {
    var drain = Drain()
    var ticker: RepeatedTask?
    /// A count is under way; the next tick waits for it.
    var isCounting = false
    /// Untold sessions by crew, at the last count.
    var untold: [Int] = []
  }

  /// - Parameter changed: called on `loop` when the state has become another.
  init(
    settings: NodeSettings,
    status: NodeStatus,
    loop: any EventLoop,
    crews: [Crew],
    log: Logger,
    changed: @escaping @Sendable () -> Void
  ) {
    self.settings = settings
    self.status = status
    self.loop = loop
    self.crews = crews
    self.log = log
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
          held: self.status.report.connections.all,
          now: .now()
        )
      }
    }
  }

  /// Drains over `window`; answers how the node stands afterwards.
  func drain(over window: TimeAmount) -> EventLoopFuture<NodeStatus.Standing> {
    loop.submit {
      let held = self.status.report.connections.all
      self.handle {
        $0.drainCommanded(window: window, settle: self.settings.settle, held: held, now: .now())
      }
      return self.status.standing
    }
  }

  /// Calls a drain off; answers how the node stands afterwards.
  func undrain() -> EventLoopFuture<NodeStatus.Standing> {
    loop.submit {
      self.handle { $0.undrainRequested() }
      return self.status.standing
    }
  }

  // MARK: - On the loop

  private func handle(_ event: (inout Drain) -> Drain.Action?) {
    let before = stage.value.drain.state
    let action = event(&stage.value.drain)
    publish(since: before)
    if let action { perform(action) }
    keepTime()
  }

  private func publish(since before: NodeState) {
    let now = NodeStatus.Standing(state: stage.value.drain.state, drain: stage.value.drain.progress)
    status.standing = now
    guard now.state != before else { return }
    log.notice(
      "the node is \(now.state.rawValue)",
      metadata: [LogKey.state: "\(now.state.rawValue)", LogKey.count: "\(now.drain?.remaining ?? 0)"]
    )
    changed()
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

  private func sendAway(_ count: Int) {
    for (crew, share) in zip(crews, Conductor.shares(of: count, among: stage.value.untold)) where share > 0 {
      crew.tell { _ = $0.sendAway(share) }
    }
  }

  private func closeRemaining() {
    EventLoopFuture.whenAllSucceed(crews.map { $0.ask { $0.closeRemaining() } }, on: loop)
      .map { $0.reduce(0, +) }
      .assumeIsolated()
      .whenSuccess { count in
        if count > 0 {
          self.log.warning("sessions did not leave and were closed", metadata: [LogKey.count: "\(count)"])
        }
        self.handle { $0.remainingClosed(count) }
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
    }
  }

  private func tick() {
    guard !stage.value.isCounting else { return }
    stage.value.isCounting = true
    EventLoopFuture.whenAllSucceed(crews.map { $0.ask { Count($0) } }, on: loop)
      .assumeIsolated()
      .whenComplete { result in
        self.stage.value.isCounting = false
        guard case .success(let counts) = result else { return }
        self.stage.value.untold = counts.map(\.untold)
        self.handle {
          $0.ticked(
            now: .now(),
            held: counts.reduce(0) { $0 + $1.held },
            untold: counts.reduce(0) { $0 + $1.untold },
            departing: counts.reduce(0) { $0 + $1.departing }
          )
        }
      }
  }

  /// What a crew has, at one moment.
  private struct Count: Sendable {
    let held: Int
    let untold: Int
    let departing: Int

    init(_ keeper: any SessionKeeper) {
      held = keeper.sessions
      untold = keeper.untold
      departing = keeper.departing
    }
  }

  /// Splits `count` among the crews in proportion to what each has.
  static func shares(of count: Int, among untold: [Int]) -> [Int] {
    let total = untold.reduce(0, +)
    guard total > 0 else { return untold.map { _ in 0 } }
    var shares = untold.map { min($0, count * $0 / total) }
    var rest = min(count, total) - shares.reduce(0, +)
    // The rest is less than the number of crews; it goes to who has the most left.
    while rest > 0, let index = shares.indices.max(by: { untold[$0] - shares[$0] < untold[$1] - shares[$1] })
    {
      shares[index] += 1
      rest -= 1
    }
    return shares
  }
}
