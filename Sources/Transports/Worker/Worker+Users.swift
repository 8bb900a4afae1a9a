import Brokering
import Delivery
import Telemetry
import Wire

/// How many connections a user has, in the whole cluster.
extension Worker {
  /// Counts a connection that is about to be held for its user, and goes on: with its place, or with why it may not be.
  /// There is no place where nothing is counted.
  func userComes(_ user: String?, _ goOn: @escaping (Result<UserPlace?, ClientError>) -> Void) {
    let limit = context.connectionsPerUser
    guard let user, limit > 0 else { return goOn(.success(nil)) }
    let port = shard.port!
    port.connect(user: user, limit: limit) { [context] isIn in
      if isIn { return goOn(.success(UserPlace { port.disconnect(user: user) })) }
      context.metrics.over.user.add()
      goOn(
        .failure(ClientError(.rateLimited, "at most \(limit) connections of one user", retryAfterMS: 5_000))
      )
    }
  }
}

/// A connection's place among those of its user. Whoever was given it gives it up when the connection is gone, or is
/// not held after all; once is enough.
final class UserPlace {
  private var leave: (() -> Void)?

  init(_ leave: @escaping () -> Void) {
    self.leave = leave
  }

  func giveUp() {
    leave?()
    leave = nil
  }
}

@available(*, unavailable) extension UserPlace: Sendable {}
