/// What is said first on a new connection, and what the answers mean. RESP2: no `HELLO`.
struct RedisGreeting {
  private enum Question {
    case authentication, database, role, ping
  }

  enum Verdict: Equatable {
    case more
    case ready
    case refused(RedisError)
  }

  private var awaited: [Question]
  private let settings: RedisSettings

  /// - Parameter asksRole: whether a replica is to be refused.
  init(_ settings: RedisSettings, asksRole: Bool = false) {
    self.settings = settings
    var questions: [Question] = asksRole ? [.role, .ping] : [.ping]
    if settings.database != 0 { questions.insert(.database, at: 0) }
    if settings.password != nil { questions.insert(.authentication, at: 0) }
    self.awaited = questions
  }

  /// The commands, to be sent at once.
  var commands: [[RedisArgument]] {
    awaited.map { question in
      switch question {
      case .authentication:
        ["AUTH"] + (settings.user.map { [.string($0)] } ?? []) + [.string(settings.password ?? "")]
      case .database: ["SELECT", .integer(settings.database)]
      case .role: ["ROLE"]
      case .ping: ["PING"]
      }
    }
  }

  mutating func answered(_ reply: Result<RedisValue, RedisError>) -> Verdict {
    guard !awaited.isEmpty else { return .refused(.protocolViolation("an answer to nothing")) }
    let question = awaited.removeFirst()
    switch (question, reply) {
    case (.role, .success(.array(let parts))):
      guard parts.first?.string == "slave" else { return .more }
      return .refused(.server(RedisServerError(prefix: "READONLY", message: "its role is that of a replica")))
    case (.role, .failure(.authentication)), (.role, .failure(.server)):
      // Not every user may ask this, nor does every server know it.
      return .more
    case (.authentication, .failure(.server(let error))):
      return .refused(.authentication(hint(error)))
    case (.database, .failure(.server(let error))):
      return .refused(.server(error))
    case (_, .failure(.authentication(let reason))):
      return .refused(.authentication(explain(reason)))
    case (.ping, .failure(let error)) where error.refusesWrites:
      // With a full disk Redis refuses even this, and can be read all the same.
      return .ready
    case (_, .failure(let error)):
      return .refused(error)
    case (.ping, .success(.status("PONG"))):
      return .ready
    case (.authentication, .success(.status("OK"))), (.database, .success(.status("OK"))):
      return .more
    case (_, .success):
      return .refused(.protocolViolation("an unexpected answer to the greeting"))
    }
  }

  private func hint(_ error: RedisServerError) -> String {
    let said = "\(error.prefix) \(error.message)"
    if error.message.contains("without any password") {
      return "the server needs no password, yet the URL has one (\(said))"
    }
    return "wrong user or password in the URL (\(said))"
  }

  private func explain(_ reason: String) -> String {
    if reason.hasPrefix("WRONGPASS") { return "wrong user or password in the URL (\(reason))" }
    if reason.hasPrefix("NOAUTH") {
      return "the server asks for a password and the URL has none; redis://:password@host (\(reason))"
    }
    if reason.hasPrefix("NOPERM") { return "the user may not do what a node needs (\(reason))" }
    if reason.hasPrefix("DENIED") {
      return "the server is in protected mode and takes only local connections without a password"
    }
    return reason
  }
}
