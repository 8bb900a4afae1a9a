public import NIOCore

/// Why a text is not an event that a node sends.
public struct ServerEventError: Error, Sendable, Equatable, CustomStringConvertible {
  public let description: String

  init(_ description: String) {
    self.description = description
  }
}

extension ServerEvent {
  /// Reads one event's JSON object. Members that it does not know are ignored; `data` and `info` share the
  /// storage of `text`.
  public init(parsing text: ByteBuffer) throws(ServerEventError) {
    let object: JSONObject
    do {
      object = try JSONObject(text)
    } catch {
      throw ServerEventError("not a JSON object: \(error)")
    }
    self = try object.event(named: try object.string("type"))
  }
}

extension JSONObject {
  fileprivate func event(named name: String) throws(ServerEventError) -> ServerEvent {
    let id = try number("id")
    return switch name {
    case "welcome":
      .welcome(
        session: try session(),
        node: try string("node"),
        user: try text("user"),
        heartbeat: Int(try integer("heartbeat"))
      )
    case "subscribed":
      .subscribed(id: id, channel: try channel(), cursor: try cursor(), resumed: try truth("resumed"))
    case "unsubscribed": .unsubscribed(id: id, channel: try channel())
    case "message":
      .message(
        channel: try channel(),
        cursor: try cursor(),
        data: try json("data"),
        user: try text("user"),
        time: try integer("time")
      )
    case "published": .published(id: id, channel: try channel(), cursor: try cursor())
    case "history":
      .history(
        id: id,
        channel: try channel(),
        messages: try messages(),
        cursor: try cursor("cursor"),
        gap: try self["gap"]?.object?.gap()
      )
    case "presence": .presence(id: id, channel: try channel(), page: try presencePage())
    case "join": .join(channel: try channel(), member: try member())
    case "leave": .leave(channel: try channel(), member: try member())
    case "gap": .gap(channel: try channel(), try gap())
    case "goaway":
      .goaway(reason: try string("reason"), reconnectAfterMS: Int(try integer("reconnect_after_ms")))
    case "refreshed": .refreshed(id: id, expires: self["expires"]?.integer)
    case "error": .error(id: id, try clientError())
    case "pong": .pong(id: id)
    default: throw ServerEventError("type: \(name.prefix(40)) is not one that a node sends")
    }
  }

  private func session() throws(ServerEventError) -> Session {
    guard let session = Session(secret: try string("session"), user: try text("user")) else {
      throw ServerEventError("session: not one of this user")
    }
    guard session.member == (try string("member")) else {
      throw ServerEventError("member: not the session's")
    }
    return session
  }

  private func channel() throws(ServerEventError) -> ChannelName {
    guard let channel = ChannelName(try string("channel")) else {
      throw ServerEventError("channel: not a channel name")
    }
    return channel
  }

  private func messages() throws(ServerEventError) -> [Message] {
    var messages: [Message] = []
    for object in try objects("messages") {
      messages.append(
        Message(
          cursor: try object.cursor("cursor"),
          data: try object.json("data"),
          user: try object.text("user"),
          time: try object.integer("time")
        )
      )
    }
    return messages
  }

  private func gap() throws(ServerEventError) -> Gap {
    guard let reason = GapReason(rawValue: try string("reason")) else {
      throw ServerEventError("reason: not a gap's")
    }
    return Gap(from: try cursor("from"), to: try cursor("to"), reason: reason)
  }

  /// Joins and leaves do not say since when.
  private func member() throws(ServerEventError) -> Member {
    Member(
      id: try string("member"),
      user: try text("user"),
      info: self["info"]?.bytes,
      since: try number("since") ?? 0
    )
  }

  private func presencePage() throws(ServerEventError) -> PresencePage {
    var members: [Member] = []
    for object in try objects("members") { members.append(try object.member()) }
    return PresencePage(
      members: members,
      count: Int(try integer("count")),
      users: Int(try integer("users")),
      next: try text("next")
    )
  }

  private func clientError() throws(ServerEventError) -> ClientError {
    guard let code = ErrorCode(rawValue: try string("code")) else {
      throw ServerEventError("code: \(try string("code").prefix(40)) is not an error code")
    }
    var error = ClientError(code, try string("message"))
    error.retryAfterMS = try number("retry_after_ms").map(Int.init)
    return error
  }
}

extension JSONObject {
  private func required(_ name: StaticString) throws(ServerEventError) -> JSONField {
    guard let field = self[name] else { throw ServerEventError("\(name): missing") }
    return field
  }

  /// A string, where it is there.
  fileprivate func text(_ name: StaticString) throws(ServerEventError) -> String? {
    guard let field = self[name] else { return nil }
    guard let text = field.string else { throw ServerEventError("\(name): not a string") }
    return text
  }

  fileprivate func string(_ name: StaticString) throws(ServerEventError) -> String {
    guard let text = try required(name).string else { throw ServerEventError("\(name): not a string") }
    return text
  }

  /// A whole number, where it is there.
  fileprivate func number(_ name: StaticString) throws(ServerEventError) -> Int64? {
    guard let field = self[name] else { return nil }
    guard let integer = field.integer else { throw ServerEventError("\(name): not a whole number") }
    return integer
  }

  fileprivate func integer(_ name: StaticString) throws(ServerEventError) -> Int64 {
    guard let integer = try required(name).integer else {
      throw ServerEventError("\(name): not a whole number")
    }
    return integer
  }

  fileprivate func truth(_ name: StaticString) throws(ServerEventError) -> Bool {
    guard let truth = try required(name).bool else { throw ServerEventError("\(name): not true or false") }
    return truth
  }

  fileprivate func json(_ name: StaticString) throws(ServerEventError) -> ByteBuffer {
    try required(name).bytes
  }

  fileprivate func cursor(_ name: StaticString) throws(ServerEventError) -> Cursor {
    guard let cursor = Cursor(try string(name)) else { throw ServerEventError("\(name): not a cursor") }
    return cursor
  }

  /// The member `cursor`, which an ephemeral channel's events do not have.
  fileprivate func cursor() throws(ServerEventError) -> Cursor? {
    self["cursor"] == nil ? nil : try cursor("cursor")
  }

  fileprivate func objects(_ name: StaticString) throws(ServerEventError) -> [JSONObject] {
    guard let elements = try required(name).elements else { throw ServerEventError("\(name): not an array") }
    var objects: [JSONObject] = []
    for element in elements {
      guard let object = element.object else { throw ServerEventError("\(name): not all are objects") }
      objects.append(object)
    }
    return objects
  }
}
