import NIOHTTP1
import Wire

extension HTTPRequest {
  /// The one value of that name in the query; nil when there is none.
  func parameter(_ name: String) throws(ClientError) -> String? {
    let values = query.all(name)
    guard values.count <= 1 else {
      throw ClientError(.badRequest, "\(name): given \(values.count) times, once at most")
    }
    return values.first
  }

  /// The channel in the path.
  var channel: ChannelName {
    get throws(ClientError) {
      guard let channel = parameters["channel"].flatMap({ ChannelName($0) }) else {
        throw ClientError(.badChannel, "a channel is 1 to 128 of A-Z a-z 0-9 _ . : -")
      }
      return channel
    }
  }

  /// The channels of the query, each once; at least one. No more than `limit` may be named, also not the same again.
  /// - Parameter over: called when more are.
  func channels(atMost limit: Int, over: () -> Void = {}) throws(ClientError) -> [ChannelName] {
    guard let text = try parameter("channels"), !text.isEmpty else {
      throw ClientError(.badChannel, "channels: missing; name one or several, separated by commas")
    }
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count <= limit else {
      over()
      throw ClientError(.badRequest, "channels: \(limit) at most")
    }
    var channels: [ChannelName] = []
    for part in parts {
      guard let channel = ChannelName(part) else {
        throw ClientError(.badChannel, "channels: each is 1 to 128 of A-Z a-z 0-9 _ . : -")
      }
      if !channels.contains(channel) { channels.append(channel) }
    }
    return channels
  }

  var limit: Int? {
    get throws(ClientError) {
      guard let text = try parameter("limit") else { return nil }
      guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let limit = Int(text),
        (1...1_000).contains(limit)
      else {
        throw ClientError(.badRequest, "limit: a whole number from 1 to 1000")
      }
      return limit
    }
  }

  var historyRange: HistoryRange {
    get throws(ClientError) {
      switch (try parameter("since"), try parameter("before")) {
      case (nil, nil): return .newest
      case (_?, _?): throw ClientError(.badRequest, "since and before exclude each other")
      case (let text?, nil):
        guard let since = Since(text) else {
          throw ClientError(.badCursor, "since: a cursor (epoch.offset) or start")
        }
        return .since(since)
      case (nil, let text?):
        guard let cursor = Cursor(text) else {
          throw ClientError(.badCursor, "before: a cursor (epoch.offset)")
        }
        return .before(cursor)
      }
    }
  }

  /// The last member of the page before.
  var after: String? {
    get throws(ClientError) {
      guard let text = try parameter("after") else { return nil }
      guard Session.isMember(text) else {
        throw ClientError(.badRequest, "after: a member's id, as `next` of a page gives it")
      }
      return text
    }
  }

  /// The idempotency key of a publish.
  var idempotencyKey: String? {
    get throws(ClientError) {
      let keys = headers["Idempotency-Key"]
      guard let key = keys.first else { return nil }
      let most = ClientRequest.maximumKeyLength
      guard keys.count == 1, (1...most).contains(key.utf8.count),
        key.utf8.allSatisfy({ (0x20...0x7e).contains($0) })
      else {
        throw ClientError(.badRequest, "Idempotency-Key: one, of 1 to \(most) printable ASCII characters")
      }
      return key
    }
  }

  /// `since=` of a request for several channels; nil is from now, and so is the empty set.
  var sinceSet: SinceSet? {
    get throws(ClientError) {
      guard let text = try parameter("since"), !text.isEmpty else { return nil }
      guard let since = SinceSet(text) else {
        throw ClientError(.badCursor, "since: a cursor set (channel@epoch.offset,…) or start")
      }
      return since
    }
  }

  var presenceWish: PresenceWish? {
    get throws(ClientError) {
      guard let text = try parameter("presence") else { return nil }
      guard let wish = PresenceWish(rawValue: text) else {
        throw ClientError(.badRequest, "presence: join or watch")
      }
      return wish
    }
  }
}
