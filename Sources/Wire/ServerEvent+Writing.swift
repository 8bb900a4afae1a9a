public import NIOCore

extension ServerEvent {
  /// The name of the event, which is its `type`.
  public var name: StaticString {
    switch self {
    case .welcome: "welcome"
    case .subscribed: "subscribed"
    case .unsubscribed: "unsubscribed"
    case .message: "message"
    case .published: "published"
    case .history: "history"
    case .presence: "presence"
    case .join: "join"
    case .leave: "leave"
    case .gap: "gap"
    case .goaway: "goaway"
    case .refreshed: "refreshed"
    case .error: "error"
    case .pong: "pong"
    }
  }

  /// Appends the event's JSON object, in one line.
  public func write(into buffer: inout ByteBuffer) {
    buffer.openObject()
    buffer.writeMember("type", name)
    switch self {
    case .welcome(let session, let node, let user, let heartbeat):
      buffer.writeMember("session", session.secret)
      buffer.writeMember("member", session.member)
      buffer.writeMember("node", node)
      if let user { buffer.writeMember("user", user) }
      buffer.writeMember("heartbeat", heartbeat)
    case .subscribed(let id, let channel, let cursor, let resumed):
      buffer.writeAnswer(id, channel, cursor)
      buffer.writeMember("resumed", resumed)
    case .unsubscribed(let id, let channel):
      buffer.writeAnswer(id, channel, nil)
    case .published(let id, let channel, let cursor):
      buffer.writeAnswer(id, channel, cursor)
    case .message(let channel, let cursor, let data, let user, let time):
      buffer.writeMember("channel", channel.text)
      buffer.writeContent(cursor, data, user, time)
    case .history(let id, let channel, let messages, let cursor, let gap):
      buffer.writeAnswer(id, channel, nil)
      buffer.writeMessages(messages, of: channel)
      if let cursor { buffer.writeMember("cursor", cursor) }
      if let gap { buffer.writeMember("gap") { ServerEvent.gap(channel: channel, gap).write(into: &$0) } }
    case .presence(let id, let channel, let page):
      buffer.writeAnswer(id, channel, nil)
      buffer.writeMembers(page.members)
      buffer.writeMember("count", page.count)
      buffer.writeMember("users", page.users)
      if let next = page.next { buffer.writeMember("next", next) }
    case .join(let channel, let member), .leave(let channel, let member):
      buffer.writeMember("channel", channel.text)
      buffer.writeIdentity(member)
    case .gap(let channel, let gap):
      buffer.writeMember("channel", channel.text)
      buffer.writeMember("from", gap.from)
      buffer.writeMember("to", gap.to)
      buffer.writeMember("reason", gap.reason.rawValue)
    case .goaway(let reason, let reconnectAfterMS):
      buffer.writeMember("reason", reason)
      buffer.writeMember("reconnect_after_ms", reconnectAfterMS)
    case .refreshed(let id, let expires):
      if let id { buffer.writeMember("id", id) }
      if let expires { buffer.writeMember("expires", expires) }
    case .error(let id, let error):
      if let id { buffer.writeMember("id", id) }
      buffer.writeMember("code", error.code.rawValue)
      buffer.writeMember("message", error.message)
      if let retry = error.retryAfterMS { buffer.writeMember("retry_after_ms", retry) }
    case .pong(let id):
      if let id { buffer.writeMember("id", id) }
    }
    buffer.closeObject()
  }
}

extension ByteBuffer {
  fileprivate mutating func writeAnswer(_ id: Int64?, _ channel: ChannelName, _ cursor: Cursor?) {
    if let id { writeMember("id", id) }
    writeMember("channel", channel.text)
    if let cursor { writeMember("cursor", cursor) }
  }

  fileprivate mutating func writeContent(
    _ cursor: Cursor?,
    _ data: ByteBuffer,
    _ user: String?,
    _ time: Int64
  ) {
    if let cursor { writeMember("cursor", cursor) }
    writeMember("data", data)
    if let user { writeMember("user", user) }
    writeMember("time", time)
  }

  fileprivate mutating func writeMessages(_ messages: [Message], of channel: ChannelName) {
    writeMember("messages", arrayOf: messages) { buffer, message in
      ServerEvent.message(
        channel: channel,
        cursor: message.cursor,
        data: message.data,
        user: message.user,
        time: message.time
      ).write(into: &buffer)
    }
  }

  fileprivate mutating func writeMembers(_ members: [Member]) {
    writeMember("members", arrayOf: members) { buffer, member in
      buffer.openObject()
      buffer.writeIdentity(member)
      buffer.writeMember("since", member.since)
      buffer.closeObject()
    }
  }

  fileprivate mutating func writeIdentity(_ member: Member) {
    writeMember("member", member.id)
    if let user = member.user { writeMember("user", user) }
    if let info = member.info { writeMember("info", info) }
  }
}
