import NIOCore
import NIOHTTP1
public import Wire

extension Sluice {
  /// Publishes one JSON value, and returns when it is in the log: its cursor, or nil in an ephemeral channel.
  ///
  /// While the cluster cannot take it, it is tried again for as long as the options say. It is stored once.
  /// - Parameter key: with the same key, another publish within five minutes is taken for a repetition of this one.
  /// - Throws: `SluiceError`, or `CancellationError`, where it may have been stored all the same.
  @discardableResult
  public func publish(_ channel: String, json: String, key: String? = nil) async throws -> Cursor? {
    let name = try Sluice.name(channel)
    let data = ByteBuffer(string: json)
    let response = try await send(Publisher.request(name, data: data, key: key, headers: [:]))
    return Publisher.Receipt(response, attempts: 1).cursor
  }

  /// Messages of a channel's log.
  /// - Parameter limit: 1 to 1,000; the node's choice, which is 100, when nil.
  /// - Throws: `SluiceError`, `CancellationError`.
  public func history(
    _ channel: String,
    _ range: HistoryRange = .newest,
    limit: Int? = nil
  ) async throws -> ChannelHistory {
    let name = try Sluice.name(channel)
    var query: [String] = []
    switch range {
    case .newest: break
    case .since(let since): query.append("since=\(since)")
    case .before(let cursor): query.append("before=\(cursor)")
    }
    if let limit { query.append("limit=\(limit)") }
    let event = try await read("/v1/channels/\(name)/messages", query)
    guard case .history(_, let channel, let messages, let cursor, let gap) = event else {
      throw SluiceError("the answer is no history")
    }
    return ChannelHistory(
      messages: messages.map { message in
        ChannelMessage(
          channel: channel,
          cursor: message.cursor,
          json: String(buffer: message.data),
          user: message.user,
          time: message.time
        )
      },
      cursor: cursor,
      gap: gap
    )
  }

  /// One page of a channel's members.
  /// - Parameters:
  ///   - limit: 1 to 1,000; the node's choice, which is 100, when nil.
  ///   - after: `next` of the page before.
  /// - Throws: `SluiceError`, `CancellationError`.
  public func presence(
    _ channel: String,
    limit: Int? = nil,
    after: String? = nil
  ) async throws -> PresencePage {
    let name = try Sluice.name(channel)
    let query = [limit.map { "limit=\($0)" }, after.map { "after=\($0)" }].compactMap(\.self)
    let event = try await read("/v1/channels/\(name)/presence", query)
    guard case .presence(_, _, let page) = event else { throw SluiceError("the answer is no presence") }
    return page
  }

  private func read(_ path: String, _ query: [String]) async throws -> ServerEvent {
    let target = path + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    let response = try await send(HTTPRequest(.GET, target))
    do {
      return try ServerEvent(parsing: response.body)
    } catch {
      throw SluiceError("the answer was not understood: \(error)")
    }
  }

  private static func name(_ channel: String) throws(SluiceError) -> ChannelName {
    guard let name = ChannelName(channel) else {
      throw SluiceError(.badChannel, "\(channel.debugDescription) is no channel")
    }
    return name
  }
}
