public import NIOCore

extension ClientRequest {
  public init(id: Int64?, _ command: ClientCommand) {
    self.init(id: id, command: command)
  }

  /// Appends the request's JSON object. `data` of a publish must be JSON already; it is written as it is.
  public func write(into buffer: inout ByteBuffer) {
    buffer.openObject()
    buffer.writeMember("type", command.name)
    if let id { buffer.writeMember("id", id) }
    switch command {
    case .subscribe(let channel, let since, let presence):
      buffer.writeMember("channel", channel.text)
      if let since { buffer.writeMember("since", since.description) }
      if let presence { buffer.writeMember("presence", presence.rawValue) }
    case .unsubscribe(let channel):
      buffer.writeMember("channel", channel.text)
    case .publish(let channel, let data, let key):
      buffer.writeMember("channel", channel.text)
      buffer.writeMember("data", data)
      if let key { buffer.writeMember("key", key) }
    case .presence(let channel, let limit, let after):
      buffer.writeMember("channel", channel.text)
      if let limit { buffer.writeMember("limit", limit) }
      if let after { buffer.writeMember("after", after) }
    case .history(let channel, let range, let limit):
      buffer.writeMember("channel", channel.text)
      switch range {
      case .newest: break
      case .since(let since): buffer.writeMember("since", since.description)
      case .before(let cursor): buffer.writeMember("before", cursor)
      }
      if let limit { buffer.writeMember("limit", limit) }
    case .token(let token):
      buffer.writeMember("token", token)
    case .ping:
      break
    }
    buffer.closeObject()
  }
}

extension ClientCommand {
  /// The `type` of the command's JSON object.
  public var name: StaticString {
    switch self {
    case .subscribe: "subscribe"
    case .unsubscribe: "unsubscribe"
    case .publish: "publish"
    case .presence: "presence"
    case .history: "history"
    case .token: "token"
    case .ping: "ping"
    }
  }
}

extension Since: CustomStringConvertible {
  /// What the query and the JSON member `since` say.
  public var description: String {
    switch self {
    case .start: "start"
    case .cursor(let cursor): cursor.description
    }
  }
}

extension SinceSet: CustomStringConvertible {
  public var description: String {
    switch self {
    case .start: "start"
    case .positions(let set): set.description
    }
  }
}
