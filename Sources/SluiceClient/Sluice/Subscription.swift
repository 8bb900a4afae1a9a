/// The events of one or several channels, each once and in order, over any number of connections.
///
/// It begins when it is made, not when it is first iterated. It ends when nothing holds it any more: leaving the
/// loop, or cancelling its task, unsubscribes. It is for one consumer; another takes events away from the first.
public struct Subscription: AsyncSequence, Sendable {
  public typealias Element = SluiceEvent
  /// Thrown where a node refuses the channel for good, or when the client has given up.
  public typealias Failure = SluiceError

  let lease: SubscriptionLease

  /// Unsubscribes; the loop over it ends.
  public func cancel() {
    lease.leave()
  }

  public func makeAsyncIterator() -> Iterator {
    Iterator(lease: lease)
  }

  public struct Iterator: AsyncIteratorProtocol {
    let lease: SubscriptionLease

    public mutating func next() async throws(SluiceError) -> SluiceEvent? {
      try await lease.next()
    }

    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(SluiceError) -> SluiceEvent? {
      try await lease.next()
    }
  }
}

/// Holds a subscription's place in its client: when it is let go, the channels are unsubscribed.
final class SubscriptionLease: Sendable {
  let buffer: EventBuffer
  private let home: ClientHome

  init(_ buffer: EventBuffer, _ home: ClientHome) {
    self.buffer = buffer
    self.home = home
  }

  deinit { leave() }

  func next() async throws(SluiceError) -> SluiceEvent? {
    try await buffer.next { home.run { [buffer] in $0.drained(buffer) } }
  }

  func leave() {
    buffer.finish()
    home.run { [buffer] in $0.leave(buffer) }
  }
}
