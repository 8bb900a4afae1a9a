import NIOCore
import Wire

/// One connection of a subscriber; of event streams and polls as many as the channels' wishes need.
final class SubscriberLeg {
  enum Link {
    case webSocket(WebSocketConnection)
    case eventStream(EventStreamConnection)
    case polls(PollConnection)
  }

  /// What was read before a pause took hold is less.
  static let mostWhilePaused = 64 << 10

  /// Counts the subscriber's connections; also its place in the journal.
  let serial: Int
  let transport: SubscriberTransport
  /// It tries a better transport than the one that works.
  let isTrial: Bool
  var links: [Link] = []
  /// Channels whose subscription is not answered yet; nil until they are asked for.
  var unanswered: Int?
  /// The position that was given for each channel, by its place.
  var asked: [Cursor?] = []
  /// Requests of a WebSocket that are not answered: the place of their channel, or -1 when it is not followed
  /// any more.
  var requests: [Int64: Int] = [:]
  var lastRequest: Int64 = 0
  /// Which channels it was opened for, as a count of the changes.
  var revision: Int
  /// Another one is to take its place.
  var isToBeReplaced = false
  /// Why a stream that ends now does so, if it said that.
  var lastWord: ClientError?
  var hasEnded = false
  /// Bytes of events since it was paused.
  var takenWhilePaused = 0
  var openingSince = NIODeadline.now()

  init(serial: Int, transport: SubscriberTransport, isTrial: Bool, revision: Int) {
    self.serial = serial
    self.transport = transport
    self.isTrial = isTrial
    self.revision = revision
  }

  var isReady: Bool { unanswered == 0 }

  var socket: WebSocketConnection? {
    if case .webSocket(let connection)? = links.first { connection } else { nil }
  }

  /// Of the link that has been silent for longest.
  var lastHeard: NIODeadline {
    links.map { link in
      switch link {
      case .webSocket(let connection): connection.lastHeard
      case .eventStream(let connection): connection.lastHeard
      case .polls(let connection): connection.lastHeard
      }
    }.min() ?? openingSince
  }

  /// Between two long polls.
  var longestPause: TimeAmount {
    links.map { if case .polls(let connection) = $0 { connection.longestPause } else { .zero } }.max()
      ?? .zero
  }

  /// Ends it as its protocol wants it.
  func letGo() {
    for link in links {
      switch link {
      case .webSocket(let connection): connection.close()
      case .eventStream(let connection): connection.abort()
      case .polls(let connection): connection.abort()
      }
    }
  }

  /// Cuts it.
  func abort() {
    for link in links {
      switch link {
      case .webSocket(let connection): connection.abort()
      case .eventStream(let connection): connection.abort()
      case .polls(let connection): connection.abort()
      }
    }
  }

  /// Takes nothing any more, or goes on.
  func setReading(_ isReading: Bool) {
    takenWhilePaused = 0
    for link in links {
      switch link {
      case .webSocket(let connection): connection.setReading(isReading)
      case .eventStream(let connection): connection.setReading(isReading)
      case .polls(let connection): connection.setPaused(!isReading)
      }
    }
  }

  func setReadRate(_ bytesPerSecond: Int?) {
    for link in links {
      switch link {
      case .webSocket(let connection): connection.setReadRate(bytesPerSecond)
      case .eventStream(let connection): connection.setReadRate(bytesPerSecond)
      case .polls: break
      }
    }
  }
}

@available(*, unavailable)
extension SubscriberLeg: Sendable {}
