import Brokering
import Delivery
import Telemetry
import Wire

/// How many connections a user has, in the whole cluster.
extension Worker {
  /// Counts a connection that is about to be held for its user, and goes on: with why it may not be, or nil. Who is held
  /// is released by `release`; who is not after all, by `userLeft`.
  func userComes(_ user: String?, _ goOn: @escaping (ClientError?) -> Void) {
    let limit = context.connectionsPerUser
    guard let user, limit > 0 else { return goOn(nil) }
    shard.port.connect(user: user, limit: limit) { [context] isIn in
      if isIn { return goOn(nil) }
      context.metrics.over.user.add()
      goOn(ClientError(.rateLimited, "at most \(limit) connections of one user", retryAfterMS: 5_000))
    }
  }

  func userLeft(_ user: String?) {
    if let user, context.connectionsPerUser > 0 { shard.port.disconnect(user: user) }
  }
}
