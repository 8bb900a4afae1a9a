public import Telemetry

/// What a broker counts of its store's faults.
public final class BrokerMetrics: Sendable {
  /// Circuit breakers that are not closed, of one for each connection.
  public let breakersOpen = Gauge()
  /// How often one has opened.
  public let trips = Counter()
  /// Commands without an answer in time.
  public let timeouts = Counter()
  /// Commands not sent because a breaker was open.
  public let shortCircuited = Counter()
  /// Commands not sent because too many, or too many bytes, waited already.
  public let crowdedOut = Counter()
  /// What the store refused: writes for want of memory or disk or as a replica, and what its user may not do.
  public let refusedByStore = Counter()
  /// Answers that could not belong to what was asked, or to no command at all: each ended its connection.
  public let strangeAnswers = Counter()
  /// Connections made anew.
  public let reconnects = Counter()
  /// Events that wait to be delivered, as the node sees that delivers them.
  public let eventsWaiting = Gauge()
  /// Events that were lost, because too many waited.
  public let eventsDropped = Counter()

  public init() {}
}
