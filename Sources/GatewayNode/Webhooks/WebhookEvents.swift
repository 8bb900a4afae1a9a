internal import Brokering
private import Dispatch
internal import Logging
private import NIOConcurrencyHelpers
internal import NIOCore
private import Telemetry

/// Brings a backend the cluster's events, in their order, each until it has taken it. Of all nodes one does that at a
/// time; another one goes on when it is gone.
final class WebhookEvents: Sendable {
  /// Events of one request, at the most.
  private static let most = 100
  /// How long after an empty answer the queue is asked again.
  private static let pause = TimeAmount.milliseconds(250)
  private static let shortestWait = TimeAmount.milliseconds(250)
  private static let longestWait = TimeAmount.seconds(30)
  /// How long a node that stops goes on with events that no other node will deliver.
  static let lastWait = TimeAmount.seconds(5)

  private let kinds: Set<ClusterEvent.Kind>
  private let webhook: Webhook
  private let broker: any Broker
  /// Whether what is not delivered when the node stops is lost.
  private let isAlone: Bool
  private let turn: TimeAmount
  private let task = NIOLockedValueBox<Task<Void, Never>?>(nil)
  private let log: Logger

  /// Nil where no events are wanted.
  init?(
    _ settings: WebhookSettings,
    _ webhook: Webhook?,
    _ broker: any Broker,
    isAlone: Bool,
    log: Logger
  ) {
    guard let webhook, !settings.events.isEmpty else { return nil }
    kinds = settings.events
    self.webhook = webhook
    self.broker = broker
    self.isAlone = isAlone
    turn = settings.timeout + settings.timeout + .seconds(2)
    self.log = log
    broker.note(kinds)
  }

  func start() {
    task.withLockedValue { $0 = Task { await self.run() } }
  }

  /// Ends the deliveries, and lets another node go on with them; where there is none, delivers what there is first.
  func stop() async {
    let running = task.withLockedValue { task in
      defer { task = nil }
      return task
    }
    running?.cancel()
    await running?.value
    broker.ceased()
    if isAlone { await deliverAll(by: .now() + WebhookEvents.lastWait) } else { _ = try? await deliver() }
    _ = try? await broker.events(atMost: 0, for: .zero)
  }

  private func deliverAll(by deadline: NIODeadline) async {
    var reason = "there was no time left"
    repeat {
      do {
        if try await deliver() == 0 { return }
      } catch {
        reason = "\(error)"
        try? await Task.sleep(for: WebhookEvents.shortestWait)
      }
    } while .now() < deadline
    guard let left = try? await broker.events(atMost: .max, for: turn).count, left > 0 else { return }
    log.warning(
      "events that the webhook's backend has not taken are lost",
      metadata: [LogKey.count: "\(left)", LogKey.error: "\(reason)"]
    )
  }

  private func run() async {
    var wait = WebhookEvents.shortestWait
    var isTold = false
    while !Task.isCancelled {
      do {
        let count = try await deliver()
        if isTold { log.notice("the webhook's backend takes events again") }
        isTold = false
        wait = WebhookEvents.shortestWait
        if count < WebhookEvents.most { try await Task.sleep(for: WebhookEvents.pause) }
      } catch {
        if Task.isCancelled { return }
        if !isTold {
          log.warning("the webhook's backend does not take events", metadata: [LogKey.error: "\(error)"])
        }
        isTold = true
        let half = wait.nanoseconds / 2
        try? await Task.sleep(for: .nanoseconds(half + Int64.random(in: 0...half)))
        wait = min(wait + wait, WebhookEvents.longestWait)
      }
    }
  }

  /// Delivers the oldest events; how many those were.
  private func deliver() async throws -> Int {
    let events = try await broker.events(atMost: WebhookEvents.most, for: turn)
    guard !events.isEmpty else { return 0 }
    let wanted = events.filter { kinds.contains($0.kind) }
    if !wanted.isEmpty { try await webhook.tell(wanted) }
    try await broker.delivered(events)
    return events.count
  }
}

extension Task where Success == Never, Failure == Never {
  fileprivate static func sleep(for amount: TimeAmount) async throws {
    try await Task.sleep(nanoseconds: UInt64(amount.nanoseconds))
  }
}
