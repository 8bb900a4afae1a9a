/// What came of a load test. Its JSON, with names in `snake_case`, is what `sluice load --json` prints, what
/// `compare` reads and what the page of a report draws.
public struct LoadResult: Codable, Sendable {
  /// Of the form of this JSON.
  public var version = 1
  public var scenario: String
  /// What was asked for, in the words of the command line, in its order: `connections`, `9000`.
  public var plan: [LoadSetting]
  /// When the load began to be measured, in milliseconds since 1970.
  public var startedMs: Int64
  /// How long it was measured, in seconds.
  public var elapsedS: Double
  public var totals = LoadTotals()
  /// The delivery checker's; nil where nothing was published.
  public var verdict: LoadVerdict?
  /// By what was measured; see ``LoadTiming``.
  public var timings: [LoadTiming: TimeDistribution] = [:]
  /// How long clients were without any connection, each time that one of theirs ended, by transport as `--transports`
  /// names it. A client that connects anew before it lets go was without one for 0.
  public var away: [String: TimeDistribution] = [:]
  /// The most connections that came to a node at once, by its name; of those whose node is known.
  public var peaks: [LoadPeak] = []
  /// What the scenario measured beside all that, named and worded for a person: `all back after`, `3.2 s`.
  public var figures: [LoadSetting] = []
  /// One for each second, ascending.
  public var samples: [LoadSample] = []
  /// Moments to be known when one looks at the samples, ascending.
  public var marks: [LoadMark] = []
  public var driver = DriverReport()
  /// As their operator listeners told it, by name; empty where none was given.
  public var nodes: [NodeSeries] = []
  /// Why the run counts as failed, beside its verdict: what the scenario promised and was not so. Empty for none.
  public var failures: [String] = []

  /// Whether nothing was lost, and everything held that the scenario asks for.
  public var isGood: Bool { failures.isEmpty && verdict?.isClean != false }

  public init(scenario: String, plan: [LoadSetting], startedMs: Int64, elapsedS: Double) {
    self.scenario = scenario
    self.plan = plan
    self.startedMs = startedMs
    self.elapsedS = elapsedS
  }
}

public struct LoadSetting: Codable, Sendable, Equatable {
  public var name: String
  public var value: String

  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// How many connections were begun within 100 ms that went to one node, at the most.
public struct LoadPeak: Codable, Sendable, Equatable {
  public var node: String
  public var count: Int
  /// How many a drain had planned to send away within 100 ms; nil where nothing was drained.
  public var planned: Double?

  public init(node: String, count: Int, planned: Double? = nil) {
    self.node = node
    self.count = count
    self.planned = planned
  }
}

/// Counts of the whole run.
public struct LoadTotals: Codable, Sendable, Equatable {
  /// Publishes that were due, those that were answered as stored, and those that were given up.
  public var publishes = 0
  public var acknowledged = 0
  public var failedPublishes = 0
  public var deliveries = 0
  /// Bytes of `data` delivered.
  public var deliveredBytes = 0
  /// Connections made ready, those after the first of their client, and attempts that failed.
  public var connects = 0
  public var reconnects = 0
  public var connectFailures = 0
  /// Connections that ended though neither side had asked for it.
  public var drops = 0

  public init() {}
}

/// What the delivery checker says, in numbers.
public struct LoadVerdict: Codable, Sendable, Equatable {
  public var lost: Int
  public var duplicated: Int
  public var reordered: Int
  public var undetected: Int
  /// Positions told as gaps, by reason.
  public var gaps: [String: Int]
  /// Other findings, such as `wrong_payload`, by name.
  public var others: [String: Int]
  public var subscribers: Int
  /// Some of the findings, in words.
  public var examples: [String]

  public var isClean: Bool {
    lost == 0 && duplicated == 0 && reordered == 0 && undetected == 0 && others.allSatisfy { $0.value == 0 }
  }

  public init(
    lost: Int,
    duplicated: Int,
    reordered: Int,
    undetected: Int,
    gaps: [String: Int] = [:],
    others: [String: Int] = [:],
    subscribers: Int,
    examples: [String] = []
  ) {
    self.lost = lost
    self.duplicated = duplicated
    self.reordered = reordered
    self.undetected = undetected
    self.gaps = gaps
    self.others = others
    self.subscribers = subscribers
    self.examples = examples
  }
}

/// What is timed, all in microseconds.
public enum LoadTiming: String, Codable, CodingKeyRepresentable, CaseIterable, Sendable {
  /// From when a publish was due, not from when it was sent, to its arrival at each subscriber: what a stalled
  /// driver or node delays counts in full (coordinated omission).
  case delivery
  /// From when a publish was due to its answer.
  case publish
  /// From the dial to the last `subscribed`.
  case connect
  /// Without any connection, each time that one of a client's ended.
  case away
  /// From when a client was ready again after it was cut, or was no longer slow, until it had what it had missed.
  case catchUp
}

/// Something that happened, to be marked in a plot.
public struct LoadMark: Codable, Sendable, Equatable {
  public enum Kind: String, Codable, Sendable {
    /// The load's own: all connected, publishes begin, end.
    case phase
    /// A node's state changed.
    case drain
    /// Something was broken on purpose, or broke.
    case fault
  }

  /// Seconds since the start; negative while still connecting.
  public var atS: Double
  public var kind: Kind
  public var text: String

  public init(atS: Double, kind: Kind, text: String) {
    self.atS = atS
    self.kind = kind
    self.text = text
  }
}
