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
  /// Writes that the store did not take: no memory, no disk, a replica.
  public let writesRefused = Counter()
  /// Answers that could not belong to what was asked.
  public let strangeAnswers = Counter()
  /// Connections made anew.
  public let reconnects = Counter()
  /// Events that wait to be delivered, as the node sees that delivers them.
  public let eventsWaiting = Gauge()
  /// Events that were lost, because too many waited.
  public let eventsDropped = Counter()

  public init() {}
}
