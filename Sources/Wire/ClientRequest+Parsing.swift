public import NIOCore

extension ClientRequest {
  /// The longest idempotency key, in bytes.
  public static let maximumKeyLength = 256

  /// Reads one JSON text frame.
  public init(parsing text: ByteBuffer) throws(ClientRequestError) {
    let object: JSONObject
    do {
      object = try JSONObject(text)
    } catch {
      let code: ErrorCode = error.reason == .notAnObject ? .badRequest : .badJSON
      throw ClientRequestError(id: nil, error: ClientError(code, "not a JSON object: \(error)"))
    }
    let id = object["id"]?.integer
    do throws(ClientError) {
      if let field = object["id"], id == nil {
        throw ClientError(.badRequest, "id: a whole number, not \(String(buffer: field.bytes).prefix(40))")
      }
      self.init(id: id, command: try ClientCommand(object))
    } catch {
      throw ClientRequestError(id: id, error: error)
    }
  }
}

extension ClientCommand {
  fileprivate init(_ object: JSONObject) throws(ClientError) {
    guard let type = object["type"]?.string else {
      throw ClientError(.badRequest, "type: missing, or not a string")
    }
    switch type {
    case "subscribe":
      self = .subscribe(
        channel: try object.channel(),
        since: try object.since(),
        presence: try object.presenceWish()
      )
    case "unsubscribe":
      self = .unsubscribe(channel: try object.channel())
    case "publish":
      guard let data = object["data"]?.bytes else { throw ClientError(.badRequest, "data: missing") }
      self = .publish(channel: try object.channel(), data: data, key: try object.key())
    case "presence":
      self = .presence(
        channel: try object.channel(),
        limit: try object.limit(),
        after: try object.after()
      )
    case "history":
      self = .history(
        channel: try object.channel(),
        range: try object.historyRange(),
        limit: try object.limit()
      )
    case "token":
      guard let token = try object.text("token") else { throw ClientError(.badRequest, "token: missing") }
      self = .token(token)
    case "ping":
      self = .ping
    default:
      throw ClientError(.unknownType, "type: \(type.prefix(40)) is not one that a client sends")
    }
  }
}

extension JSONObject {
  /// A member that is a string, where it is there and not null.
  fileprivate func text(_ name: StaticString) throws(ClientError) -> String? {
    guard let field = self[name], !field.isNull else { return nil }
    guard let text = field.string else { throw ClientError(.badRequest, "\(name): not a string") }
    return text
  }

  fileprivate func channel() throws(ClientError) -> ChannelName {
    guard let name = try text("channel") else { throw ClientError(.badChannel, "channel: missing") }
    guard let channel = ChannelName(name) else {
      throw ClientError(.badChannel, "channel: 1 to 128 of A-Z a-z 0-9 _ . : -")
    }
    return channel
  }

  fileprivate func since() throws(ClientError) -> Since? {
    guard let field = self["since"], !field.isNull else { return nil }
    guard let text = field.string, let since = Since(text) else {
      throw ClientError(.badCursor, "since: a cursor (epoch.offset) or start")
    }
    return since
  }

  fileprivate func historyRange() throws(ClientError) -> HistoryRange {
    let since = try since()
    guard let field = self["before"], !field.isNull else { return since.map(HistoryRange.since) ?? .newest }
    guard since == nil else { throw ClientError(.badRequest, "since and before exclude each other") }
    guard let text = field.string, let cursor = Cursor(text) else {
      throw ClientError(.badCursor, "before: a cursor (epoch.offset)")
    }
    return .before(cursor)
  }

  fileprivate func presenceWish() throws(ClientError) -> PresenceWish? {
    guard let text = try text("presence") else { return nil }
    guard let wish = PresenceWish(rawValue: text) else {
      throw ClientError(.badRequest, "presence: join or watch")
    }
    return wish
  }

  fileprivate func limit() throws(ClientError) -> Int? {
    guard let field = self["limit"], !field.isNull else { return nil }
    guard let limit = field.integer, (1...1_000).contains(limit) else {
      throw ClientError(.badRequest, "limit: 1 to 1000")
    }
    return Int(limit)
  }

  fileprivate func key() throws(ClientError) -> String? {
    guard let key = try text("key") else { return nil }
    guard (1...ClientRequest.maximumKeyLength).contains(key.utf8.count),
      key.utf8.allSatisfy({ (0x20...0x7e).contains($0) })
    else {
      throw ClientError(
        .badRequest,
        "key: 1 to \(ClientRequest.maximumKeyLength) printable ASCII characters"
      )
    }
    return key
  }

  /// The last member of the page before.
  fileprivate func after() throws(ClientError) -> String? {
    guard let text = try text("after") else { return nil }
    guard Session.isMember(text) else {
      throw ClientError(.badRequest, "after: a member's id, as `next` of a page gives it")
    }
    return text
  }
}
