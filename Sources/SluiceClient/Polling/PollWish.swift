public import NIOCore
public import NIOHTTP1
public import Wire

/// What a series of polls asks for.
public struct PollWish: Sendable {
  /// How one poll follows another.
  public enum Pace: Sendable, Hashable {
    /// Long polls, held for up to so many seconds, one after another.
    case held(seconds: Int)
    /// Short polls with a pause between them; as the node hints, when it is nil.
    case every(TimeAmount?)
  }

  public var channels: [ChannelName]
  /// Where the first one begins: from now, when nil.
  public var since: SinceSet?
  public var presence: PresenceWish?
  /// The session's secret; it is sent where there is a wish about presence, for otherwise an answer may be cached.
  public var session: String?
  public var pace: Pace
  /// Of every request.
  public var headers: HTTPHeaders = [:]
  /// Tells a load balancer where to go, for a client without cookies.
  public var route: String?
  /// What a load balancer has set as its cookie before; an answer may set it anew.
  public var routeCookie: String?

  public init(_ channels: [ChannelName], since: SinceSet? = nil, pace: Pace) {
    self.channels = channels
    self.since = since
    self.pace = pace
  }

  /// The next request's target.
  /// - Parameters:
  ///   - cursor: of the answer before; nil for the first.
  ///   - firstWait: how long the first may be held, in seconds.
  func path(after cursor: String?, firstWait: Int) -> String {
    var path = "/v1/poll?channels=" + channels.map(\.text).joined(separator: ",")
    if let since = cursor ?? since?.description, !since.isEmpty { path += "&since=\(since)" }
    switch pace {
    case .held(let seconds): path += "&wait=\(cursor == nil ? firstWait : seconds)"
    case .every: path += "&wait=0"
    }
    if let presence { path += "&presence=\(presence.rawValue)" }
    if let route { path += "&route=\(route)" }
    return path
  }
}
