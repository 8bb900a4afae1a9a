import NIOCore
import Wire

extension HTTPRequest {
  /// The channel in the path.
  var channel: ChannelName {
    get throws(ClientError) {
      guard let channel = parameters["channel"].flatMap({ ChannelName($0) }) else {
        throw ClientError(.badChannel, "a channel is 1 to 128 of A-Z a-z 0-9 _ . : -")
      }
      return channel
    }
  }

  /// The channels of the query, each once; at least one.
  func channels(atMost limit: Int) throws(ClientError) -> [ChannelName] {
    guard let text = query["channels"], !text.isEmpty else {
      throw ClientError(.badChannel, "channels: missing; name one or several, separated by commas")
    }
    var channels: [ChannelName] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let channel = ChannelName(part) else {
        throw ClientError(.badChannel, "channels: each is 1 to 128 of A-Z a-z 0-9 _ . : -")
      }
      if !channels.contains(channel) { channels.append(channel) }
      guard channels.count <= limit else {
        throw ClientError(.badRequest, "channels: \(limit) at most")
      }
    }
    return channels
  }

  var limit: Int? {
    get throws(ClientError) {
      guard let text = query["limit"] else { return nil }
      guard let limit = Int(text), (1...1_000).contains(limit) else {
        throw ClientError(.badRequest, "limit: 1 to 1000")
      }
      return limit
    }
  }

  var historyRange: HistoryRange {
    get throws(ClientError) {
      switch (query["since"], query["before"]) {
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

  /// `since=` of a request for several channels; nil is from now.
  var sinceSet: SinceSet? {
    get throws(ClientError) {
      guard let text = query["since"], !text.isEmpty else { return nil }
      guard let since = SinceSet(text) else {
        throw ClientError(.badCursor, "since: a cursor set (channel@epoch.offset,…) or start")
      }
      return since
    }
  }

  var presenceWish: PresenceWish? {
    get throws(ClientError) {
      guard let text = query["presence"], !text.isEmpty else { return nil }
      guard let wish = PresenceWish(rawValue: text) else {
        throw ClientError(.badRequest, "presence: join or watch")
      }
      return wish
    }
  }
}
