import Admission
import Brokering
import Delivery
import NIOCore
import NIOHTTP1
import Telemetry
import Wire

/// Room for connections that are to be held: on the node, of their address, and of their user in the whole cluster.
extension Worker {
  /// Counts a connection that is about to be held, and goes on: with its place, or with why it may not be. There is no
  /// place where nobody counts.
  /// - Parameters:
  ///   - isNew: whether it costs what a new connection costs.
  ///   - isReturning: whether it goes on with a session. The connection that held the session until now, which may be
  ///     about to be let go, or be lost without anybody having noticed, does not keep it out.
  func comeIn(
    _ proxied: ClientAddress?,
    _ caller: Caller,
    isNew: Bool = true,
    isReturning: Bool,
    _ goOn: @escaping (Result<HeldPlace?, ClientError>) -> Void
  ) {
    if let refusal = refusalForRoom() { return goOn(.failure(refusal)) }
    var place: HeldPlace?
    if let proxied, let ledger = context.ledger {
      guard ledger.enterAddress(proxied) else {
        context.metrics.over.address.add()
        return goOn(.failure(HeldPlace.refusal(ledger.maximumOfAddress, of: "address")))
      }
      place = HeldPlace { ledger.leaveAddress(proxied) }
    }
    if isNew, let refusal = refusalAtGate(of: caller) {
      place?.giveUp()
      return goOn(.failure(refusal))
    }
    let limit = context.connectionsPerUser
    guard let user = caller.user, limit > 0 else { return goOn(.success(place)) }
    let port = shard.port!
    port.connect(user: user, limit: isReturning ? limit + 1 : limit) { [metrics = context.metrics] isIn in
      if isIn {
        return goOn(
          .success(
            HeldPlace {
              place?.giveUp()
              port.disconnect(user: user)
            }
          )
        )
      }
      place?.giveUp()
      metrics.over.user.add()
      goOn(.failure(HeldPlace.refusal(limit, of: "user")))
    }
  }

  /// Why nothing more can be held here now.
  func refusalForRoom() -> ClientError? {
    if isRefusing {
      context.metrics.refused.add()
      return ClientError(.draining, "this node is draining; connect again")
    }
    guard isFull else { return nil }
    context.metrics.over.memory.add()
    return .lackOfMemory
  }

  /// Why nobody new comes in at the moment; nil when one may, who is counted.
  private func refusalAtGate(of caller: Caller) -> ClientError? {
    let client = AcceptGate.Client(address: caller.clientAddress, user: caller.user)
    if case .comeBack(let wait)? = context.gate?.knock(by: client, now: entry.eventLoop.now) {
      context.metrics.overloaded.add()
      return ClientError(
        .overloaded,
        "too many connect at once; there will be room in \((wait + 999) / 1_000) s",
        retryAfterMS: wait
      )
    }
    context.metrics.connects.add()
    return nil
  }
}

/// A connection's place among those of its address and of its user. Whoever was given it gives it up when the connection
/// is gone or told to go, or is not held after all; once is enough.
final class HeldPlace {
  private var leave: (() -> Void)?

  init(_ leave: @escaping () -> Void) {
    self.leave = leave
  }

  func giveUp() {
    leave?()
    leave = nil
  }

  fileprivate static func refusal(_ limit: Int, of whom: String) -> ClientError {
    ClientError(
      .rateLimited,
      "at most \(limit) connections of one \(whom)",
      retryAfterMS: Jitter.roomMS(after: 5_000)
    )
  }
}

@available(*, unavailable) extension HeldPlace: Sendable {}
