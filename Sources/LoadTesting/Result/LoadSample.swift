/// One second of a run.
public struct LoadSample: Codable, Sendable, Equatable {
  /// The end of it, in seconds since the start of measuring; negative while still connecting.
  public var atS: Double
  /// Clients that have all their subscriptions at the end of it.
  public var connected = 0
  public var published = 0
  public var acknowledged = 0
  public var delivered = 0
  public var connects = 0
  /// Failed connects, failed publishes and drops.
  public var errors = 0
  /// Of what arrived in it, in microseconds; nil when nothing did.
  public var deliveryP50Us: Int?
  public var deliveryP99Us: Int?
  public var deliveryMaxUs: Int?
  /// The driver's own: cores in use (2.0 is two), and the longest that one of its loops was late, in microseconds.
  public var driverCores = 0.0
  public var driverLagUs = 0

  public init(atS: Double) { self.atS = atS }
}

/// How the driver itself was doing, so that nobody blames the server for it.
public struct DriverReport: Codable, Sendable, Equatable {
  /// Processes joined into this result.
  public var processes = 1
  /// Cores in use on average and at the most in one second, of all its processes together, and what the machine has.
  public var cores = 0.0
  public var coresPeak = 0.0
  public var coresAvailable = 0
  /// How late its loops were, in microseconds.
  public var lagP99Us = 0
  public var lagMaxUs = 0
  /// Resident memory at the end, in bytes.
  public var rss = 0
  /// Why the figures say more of the driver than of the server; nil when they do not.
  public var limit: String?

  public init() {}
}

/// A node over time.
public struct NodeSeries: Codable, Sendable, Equatable {
  public struct Sample: Codable, Sendable, Equatable {
    public var atS: Double
    public var state: String
    public var connections: Int
    /// Cores in use since the sample before; nil in the first.
    public var cores: Double?
    /// Resident memory in bytes.
    public var rss: Int

    public init(atS: Double, state: String, connections: Int, cores: Double?, rss: Int) {
      self.atS = atS
      self.state = state
      self.connections = connections
      self.cores = cores
      self.rss = rss
    }
  }

  public var node: String
  public var samples: [Sample]

  public init(node: String, samples: [Sample] = []) {
    self.node = node
    self.samples = samples
  }
}
