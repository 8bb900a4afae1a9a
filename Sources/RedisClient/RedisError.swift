/// Why a command has no answer, or a connection is not there. Descriptions are for operators.
public enum RedisError: Error, Sendable, Equatable {
  /// The link is down, so the command was not sent.
  case notConnected(because: String)
  /// No answer in time. Whether the command ran, or still will, is unknown.
  case timeout(String)
  /// The link was lost with the command on its way. Whether it ran is unknown.
  case connectionLost(String)
  /// The server answered an error.
  case server(RedisServerError)
  /// The peer does not speak Redis as it should.
  case protocolViolation(String)
  /// The server refuses who we say we are, or what that user may do.
  case authentication(String)
  /// The server reads its data set and cannot answer yet.
  case loading
  /// The server cannot be reached.
  case unreachable(String)
  /// So many commands wait for an answer that no more are taken.
  case overloaded(pending: Int)
  /// The command is longer than may be sent.
  case tooLong
  /// `close()` was called.
  case closed
}

extension RedisError {
  /// Whether the command that failed may have run nevertheless.
  public var mayHaveRun: Bool {
    switch self {
    case .timeout, .connectionLost, .protocolViolation, .closed: true
    case .notConnected, .server, .authentication, .loading, .unreachable, .overloaded, .tooLong: false
    }
  }

  /// The server is there, yet cannot serve anything at the moment.
  public var isStall: Bool {
    switch self {
    case .timeout, .loading: true
    case .server(let error): ["BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"].contains(error.prefix)
    default: false
    }
  }

  /// The server answers, yet takes no writes at the moment.
  public var refusesWrites: Bool {
    guard case .server(let error) = self else { return false }
    return ["OOM", "MISCONF", "READONLY", "NOREPLICAS"].contains(error.prefix)
  }

  /// What an error reply means.
  init(_ error: RedisServerError) {
    switch error.prefix {
    case "LOADING": self = .loading
    case "NOAUTH", "WRONGPASS", "NOPERM", "DENIED":
      self = .authentication("\(error.prefix) \(error.message)")
    default: self = .server(error)
    }
  }
}

extension RedisError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notConnected(let reason): "not connected to Redis: \(reason)"
    case .timeout(let what): "Redis did not answer in time: \(what)"
    case .connectionLost(let reason): "the connection to Redis was lost: \(reason)"
    case .server(let error): Self.explain(error)
    case .protocolViolation(let reason): "what answers there does not speak Redis as it should: \(reason)"
    case .authentication(let reason): "Redis refuses the credentials: \(reason)"
    case .loading: "Redis is loading its data set into memory; it is tried again until that is done"
    case .unreachable(let reason): "Redis cannot be reached: \(reason)"
    case .overloaded(let pending): "\(pending) commands wait for Redis already; no more are taken"
    case .tooLong: "the command is too long for Redis"
    case .closed: "the connection to Redis was closed by this side"
    }
  }

  private static func explain(_ error: RedisServerError) -> String {
    let said = "Redis answered: \(error.prefix) \(error.message)"
    return switch error.prefix {
    case "READONLY": said + " (the address is that of a replica; a node needs the primary)"
    case "MASTERDOWN": said + " (a replica that has lost its primary)"
    case "OOM": said + " (Redis has reached its maxmemory)"
    case "NOREPLICAS": said + " (Redis has fewer replicas than it is told to write to)"
    case "BUSY": said + " (a script takes too long)"
    case "MISCONF": said + " (Redis cannot save to its disk and refuses writes)"
    default: said
    }
  }
}
