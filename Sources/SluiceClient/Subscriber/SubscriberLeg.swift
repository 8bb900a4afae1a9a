import NIOCore
import Wire

/// One connection of a subscriber.
final class SubscriberLeg {
  enum Link {
    case webSocket(WebSocketConnection)
    case eventStream(EventStreamConnection)
  }

  /// Counts the subscriber's connections; also its place in the journal.
  let serial: Int
  var link: Link?
  /// Channels whose subscription is not answered yet.
  var unanswered: Int
  /// The position that was given for each channel.
  var asked: [Cursor?]
  var isSentAway = false
  var openingSince = NIODeadline.now()

  init(serial: Int, channels: Int) {
    self.serial = serial
    unanswered = channels
    asked = Array(repeating: nil, count: channels)
  }

  var isReady: Bool { unanswered == 0 }

  var lastHeard: NIODeadline {
    switch link {
    case .webSocket(let connection): connection.lastHeard
    case .eventStream(let connection): connection.lastHeard
    case nil: openingSince
    }
  }

  /// Ends it as its protocol wants it.
  func letGo() {
    switch link {
    case .webSocket(let connection): connection.close()
    case .eventStream(let connection): connection.abort()
    case nil: break
    }
  }

  /// Cuts it.
  func abort() {
    switch link {
    case .webSocket(let connection): connection.abort()
    case .eventStream(let connection): connection.abort()
    case nil: break
    }
  }
}

@available(*, unavailable)
extension SubscriberLeg: Sendable {}
