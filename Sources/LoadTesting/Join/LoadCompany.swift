/// The processes that play one run together, as one of them sees them.
public protocol LoadCompany: Sendable {
  var stripe: LoadStripe { get }
  /// Tells the channels of this run from those of others; the same in all processes.
  var tag: String { get }
  /// Returns when all processes have come as far.
  func gather(_ stage: LoadMeeting) async throws
  /// What was published by all, when all have said what they published.
  func exchange(_ pages: [LedgerPage]) async throws -> [LedgerPage]
}

/// Where the processes of a run wait for each other.
public enum LoadMeeting: String, Codable, Sendable {
  /// Before publishes begin.
  case connected
  /// Before measuring begins.
  case warm
}

/// What publishers were told about one numbering of one channel.
public struct LedgerPage: Codable, Sendable, Equatable {
  public var channel: String
  public var epoch: String
  /// The offset of `identities[0]`.
  public var first: UInt64
  /// Of the payloads from there on, in hexadecimal, since not every reader of JSON knows 64 bits; `-` where nothing is
  /// known.
  public var identities: [String]
}
