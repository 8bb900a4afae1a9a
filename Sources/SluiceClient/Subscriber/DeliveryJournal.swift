public import NIOCore

/// How a subscriber is connected.
public enum SubscriberTransport: String, Sendable, CaseIterable {
  case webSocket
  case eventStream
  /// Requests that are held until something happens.
  case longPoll
  /// Requests at intervals, which a cache may answer.
  case shortPoll
  /// As a browser's `EventSource` does it: always the same URL, no session, any answer but a stream is final.
  case nativeEventSource
}

/// Everything that one subscriber received, and when it was connected to what.
public struct DeliveryJournal: Sendable {
  public struct Connection: Sendable {
    public let transport: SubscriberTransport
    /// The node's name; nil when it did not get to say it, as polls never do.
    public var node: String?
    public var dialedAt: NIODeadline
    /// When every channel was subscribed.
    public var readyAt: NIODeadline?
    /// When the node asked to go elsewhere.
    public var sentAwayAt: NIODeadline?
    public var endedAt: NIODeadline?
    public var end: String?
    /// This side ended it: it was cut, stopped, or another took its place.
    public var wasLetGo = false
    /// Of long polls, the longest time between an answer and the next poll on its way.
    public var longestPause = TimeAmount.zero

    public init(transport: SubscriberTransport, dialedAt: NIODeadline) {
      self.transport = transport
      self.dialedAt = dialedAt
    }
    /// Of the end, when a WebSocket was closed by a close frame.
    public var closeCode: UInt16?
  }

  public let subscriber: String
  /// The one it began with.
  public let transport: SubscriberTransport
  public var tracks: [ChannelTrack]
  public var connections: [Connection]
  /// What should never be: events that were not understood, errors for requests that were in order.
  public var complaints: [String]

  public init(
    subscriber: String,
    transport: SubscriberTransport,
    tracks: [ChannelTrack],
    connections: [Connection] = [],
    complaints: [String] = []
  ) {
    self.subscriber = subscriber
    self.transport = transport
    self.tracks = tracks
    self.connections = connections
    self.complaints = complaints
  }
}
