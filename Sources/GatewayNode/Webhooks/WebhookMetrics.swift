internal import Admission
internal import Telemetry

/// What the node counts of its backend.
final class WebhookMetrics: Sendable {
  /// Questions put to the backend, and those that were answered from memory.
  let asked = Counter()
  let cached = Counter()
  /// Answers that were a no.
  let denied = Counter()
  /// Questions without a usable answer.
  let failed = Counter()
  /// Questions not asked because the breaker was open, or too many waited.
  let refused = Counter()
  /// Questions that wait for an answer.
  let waiting = Gauge()
  /// 1 while the breaker of that kind of question is not closed.
  let open = Dictionary(uniqueKeysWithValues: Question.Kind.allCases.map { ($0, Gauge()) })

  /// Events that the backend has taken, and requests with events that it has not.
  let events = Counter()
  let eventFailures = Counter()

  func add(to registry: MetricsRegistry) {
    registry.add(asked, "sluice_webhook_asked_total", help: "Questions put to the backend.")
    registry.add(cached, "sluice_webhook_cached_total", help: "Questions answered from memory.")
    registry.add(denied, "sluice_webhook_denied_total", help: "Answers of the backend that were a no.")
    registry.add(failed, "sluice_webhook_failed_total", help: "Questions without a usable answer.")
    registry.add(
      refused,
      "sluice_webhook_refused_total",
      help: "Questions not asked because the breaker was open or too many waited."
    )
    registry.add(waiting, "sluice_webhook_waiting", help: "Questions that wait for an answer.")
    registry.add(events, "sluice_webhook_events_total", help: "Events that the backend has taken.")
    registry.add(
      eventFailures,
      "sluice_webhook_event_failures_total",
      help: "Requests with events that the backend has not taken; they are repeated."
    )
    for kind in Question.Kind.allCases {
      guard let open = open[kind] else { continue }
      registry.add(
        open,
        "sluice_webhook_breaker_open",
        help: "1 while the circuit breaker of that kind of question is not closed.",
        labels: ["kind": kind.rawValue]
      )
    }
  }
}
