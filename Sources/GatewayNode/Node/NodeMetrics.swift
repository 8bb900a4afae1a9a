internal import Admission
internal import Brokering
internal import Delivery
private import NIOCore
internal import Sessions
internal import Telemetry
internal import Transports

/// Everything a node counts, under the names that a scrape shows.
struct NodeMetrics {
  let registry = MetricsRegistry()
  let transport = TransportMetrics()
  let delivery = DeliveryMetrics()

  init() {
    addConnections()
    addPolls()
    addMessages()
    addChannels()
    registry.addProcess()
  }

  private func addConnections() {
    let help = "Connections that are held open."
    let name = "sluice_connections"
    registry.add(transport.webSockets, name, help: help, labels: ["transport": "websocket"])
    registry.add(transport.eventStreams, name, help: help, labels: ["transport": "sse"])
    registry.add(transport.polls, name, help: help, labels: ["transport": "poll"])
    addRefusals()
    registry.add(transport.connects, "sluice_connects_total", help: "Connections let in to be held.")
    registry.add(
      transport.overloaded,
      "sluice_overloaded_total",
      help: "Connections told to come back because too many came at once."
    )
    registry.add(transport.aged, "sluice_aged_total", help: "Connections sent away because of their age.")
    registry.add(
      transport.tooSlow,
      "sluice_too_slow_total",
      help: "Connections closed because they took nothing."
    )
    registry.add(
      transport.refusedTokens,
      "sluice_tokens_refused_total",
      help: "Tokens that were not accepted."
    )
    registry.add(
      transport.expiredTokens,
      "sluice_tokens_expired_total",
      help: "Connections closed because their token ran out."
    )
    registry.add(
      transport.goodbyes,
      "sluice_drain_sent_away_total",
      help: "Sessions that a drain told to go."
    )
    registry.add(transport.forced, "sluice_drain_forced_total", help: "Sessions that a drain had to close.")
  }

  private func addRefusals() {
    let name = "sluice_refused_total"
    let help = "Connections, requests and messages that were refused, by the reason."
    registry.add(transport.refused, name, help: help, labels: ["reason": "draining"])
    registry.add(transport.overloaded, name, help: help, labels: ["reason": "accept_rate"])
    for (reason, counter) in transport.over.all {
      registry.add(counter, name, help: help, labels: ["reason": reason])
    }
    registry.add(
      transport.shed,
      "sluice_shed_total",
      help: "Connections closed or sent away because memory ran out."
    )
  }

  private func addPolls() {
    let name = "sluice_polls_total"
    let help = "Polls that were answered."
    registry.add(transport.longPollAnswers, name, help: help, labels: ["kind": "long"])
    registry.add(transport.shortPollAnswers, name, help: help, labels: ["kind": "short"])
    registry.add(
      transport.unchangedPolls,
      "sluice_polls_unchanged_total",
      help: "Short polls that were answered with 304."
    )
  }

  private func addMessages() {
    registry.add(transport.publishes, "sluice_publishes_total", help: "Publishes that are in the log.")
    registry.add(
      transport.failedPublishes,
      "sluice_publishes_failed_total",
      help: "Publishes that the log could not take."
    )
    registry.add(delivery.deliveries, "sluice_deliveries_total", help: "Messages written to a subscriber.")
    registry.add(delivery.gaps, "sluice_gaps_total", help: "Gaps told to a subscriber.")
    registry.add(
      delivery.skipped,
      "sluice_skipped_total",
      help: "Messages passed over in latest and ephemeral channels."
    )
    registry.add(delivery.logReads, "sluice_log_reads_total", help: "Reads of a log to repair or catch up.")
    registry.add(delivery.resumes, "sluice_resumes_total", help: "Subscriptions from a position held before.")
    registry.add(
      delivery.resumeReads,
      "sluice_resume_reads_total",
      help: "Reads of Redis that resumes have caused: most are served from memory."
    )
    registry.add(delivery.resumed, "sluice_resumed_total", help: "Those that went on without a gap.")
  }

  private func addChannels() {
    registry.add(delivery.channels, "sluice_channels", help: "Channels followed.")
    registry.add(delivery.subscriptions, "sluice_subscriptions", help: "Subscriptions of clients.")
    registry.add(delivery.ringBytes, "sluice_ring_bytes", help: "Memory of recent messages, in bytes.")
  }

  /// Adds how many connections the node has.
  func add(_ ledger: ConnectionLedger) {
    registry.gauge("sluice_open_connections", help: "Connections of clients, whatever they speak.") {
      Double(ledger.count)
    }
  }

  /// Adds how the node fares.
  func add(_ meter: NodeMeter) {
    registry.gauge("sluice_memory_pressure", help: "0, 1 while new connections are refused, 2 while some go.")
    {
      Double(meter.pressure.rawValue)
    }
    registry.gauge("sluice_accept_rate", help: "Connections a second that are let in at present.") {
      meter.gate.rate
    }
    registry.gauge(
      "sluice_accept_queue_seconds",
      help: "How long the last of those who were told to come back has to wait."
    ) {
      meter.gate.queueSeconds(now: .now())
    }
    registry.gauge(
      "sluice_loop_lag_seconds",
      help: "The worst lag of an event loop in the last seconds."
    ) {
      meter.load.lagMS / 1_000
    }
    registry.gauge(
      "sluice_resume_reads_per_thousand",
      help: "Reads of Redis for each thousand resumes since the start."
    ) {
      meter.load.readsPerThousandResumes
    }
  }

  /// Adds what goes wrong with Redis.
  func add(_ broker: BrokerMetrics) {
    registry.add(
      broker.breakersOpen,
      "sluice_redis_breakers_open",
      help:
        "Circuit breakers before Redis that are not closed: it answers nothing in time, or takes no writes."
    )
    registry.add(
      broker.trips,
      "sluice_redis_breaker_trips_total",
      help: "How often a circuit breaker has opened."
    )
    registry.add(
      broker.timeouts,
      "sluice_redis_timeouts_total",
      help: "Commands that Redis did not answer in time."
    )
    let refused = "sluice_redis_refused_total"
    let help =
      "What was not done: not sent behind an open breaker or a full queue, or refused by Redis."
    registry.add(broker.shortCircuited, refused, help: help, labels: ["by": "breaker"])
    registry.add(broker.crowdedOut, refused, help: help, labels: ["by": "queue"])
    registry.add(broker.refusedByStore, refused, help: help, labels: ["by": "redis"])
    registry.add(
      broker.strangeAnswers,
      "sluice_redis_strange_answers_total",
      help: "Answers of Redis that could not belong to what was asked."
    )
    registry.add(
      broker.eventsWaiting,
      "sluice_webhook_events_waiting",
      help: "Events that wait to be delivered, on the node that does that."
    )
    registry.add(
      broker.eventsDropped,
      "sluice_webhook_events_dropped_total",
      help: "Events that were lost because too many waited."
    )
    registry.add(
      broker.reconnects,
      "sluice_redis_reconnects_total",
      help: "Connections for commands that were made anew."
    )
  }

  /// Adds how the node stands.
  func add(_ status: NodeStatus) {
    for state in NodeState.allCases {
      registry.gauge(
        "sluice_node_state",
        help: "1 for the state of the node.",
        labels: ["state": state.rawValue]
      ) {
        status.standing.state == state ? 1 : 0
      }
    }
    registry.gauge("sluice_ready", help: "1 while the node takes new connections.") {
      status.unreadiness == nil ? 1 : 0
    }
    registry.gauge("sluice_drain_remaining", help: "Sessions that the drain still has to see off.") {
      Double(status.standing.drain?.remaining ?? 0)
    }
    registry.gauge("sluice_uptime_seconds", help: "Seconds since the node began.") {
      Double(status.uptime)
    }
    registry.gauge(
      "sluice_info",
      help: "1, with what the node is.",
      labels: ["node": status.node, "incarnation": status.incarnation, "version": Version.text]
    ) { 1 }
  }
}
