import Admission
import NIOCore
import NIOHTTP1
import Wire

/// What a poll asks for.
struct PollQuestion {
  var channels: [ChannelName]
  var caller: Caller
  /// Nil is from now.
  var since: SinceSet?
  /// Zero for a short poll.
  var wait: TimeAmount
  var presence: PresenceWish?
  /// Whose presence it keeps; only ever from a header, for a URL is kept by caches and logs.
  var session: Session?
  /// The client has shown a session that it goes on with.
  var isReturning = false
  /// The client does not know its session yet.
  var tellsSession = false
  /// The client's address where its connection is a proxy's.
  var proxied: ClientAddress?
  /// What the client has already.
  var validators: [String] = []
  /// For how long a cache may give the answer to others, in seconds; nil when it is for this client alone.
  var maxAge: Int?

  var isLong: Bool { wait > .zero }
}

extension HTTPRequest {
  /// How long the poll may be held: `wait=`, 25 s when it is not given; not at all for a `HEAD`.
  var pollWait: TimeAmount {
    get throws(ClientError) {
      guard let text = try parameter("wait") else { return method == .HEAD ? .zero : .seconds(25) }
      guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let seconds = Int64(text),
        (0...55).contains(seconds)
      else {
        throw ClientError(.badRequest, "wait: whole seconds from 1 to 55, or 0 for a short poll")
      }
      return method == .HEAD ? .zero : .seconds(seconds)
    }
  }
}
