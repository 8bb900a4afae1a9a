public import NIOCore

/// Something that has happened in the cluster, and that a backend wants to be told of.
public struct ClusterEvent: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    /// A connection has ended, also by the death of its node.
    case disconnect
    /// A channel has its first subscriber in the cluster.
    case channelOccupied = "channel-occupied"
    /// It has no subscriber any more.
    case channelVacated = "channel-vacated"
  }

  /// The same whenever it is told.
  public var id: String
  public var kind: Kind
  /// Milliseconds since 1970.
  public var time: Int64
  /// What it happened to: one JSON object.
  public var detail: ByteBuffer

  public init(id: String, kind: Kind, time: Int64, detail: ByteBuffer) {
    self.id = id
    self.kind = kind
    self.time = time
    self.detail = detail
  }
}

/// Something whose end, and perhaps whose beginning, is an event.
enum Noted: Hashable, Sendable {
  case connection(HolderID)
  case channel(String)
}

/// How many events wait for a backend that does not take them, and for how long, at the most.
enum EventBounds {
  static let most = 100_000
  static let age = TimeAmount.hours(24)
}
