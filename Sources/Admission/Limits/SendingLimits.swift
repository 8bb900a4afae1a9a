public import NIOCore

/// How much one connection may send. Nil is without limit.
public struct SendingLimits: Sendable, Equatable {
  /// Messages, and what costs the same: pings, pongs, and frames that go on with a message.
  public var messages: TokenBucket.Rate?
  /// Bytes as they come from the socket, and what compressed messages have beyond them.
  public var bytes: TokenBucket.Rate?
  /// Subscribes, also those that were refused.
  public var subscribes: TokenBucket.Rate?

  public init() {}

  /// Rates of so many a second, of which five seconds' worth may come at once; 0 is without limit.
  public init(messages: Int, bytes: Int, subscribes: Int) {
    self.messages = SendingLimits.rate(messages)
    self.bytes = SendingLimits.rate(bytes)
    self.subscribes = SendingLimits.rate(subscribes)
  }

  /// How many seconds of a rate may come at once.
  public static let burstSeconds = 5

  /// A rate with its burst; nil for 0.
  public static func rate(_ perSecond: Int) -> TokenBucket.Rate? {
    guard perSecond > 0 else { return nil }
    return TokenBucket.Rate(perSecond: Double(perSecond), burst: Double(perSecond * burstSeconds))
  }

  /// How many refusals a minute are borne: as many as messages may come at once. Who goes on after that does not
  /// listen.
  var patience: TokenBucket.Rate {
    let count = max(100, messages?.burst ?? 0, subscribes?.burst ?? 0)
    return TokenBucket.Rate(perSecond: count / 60, burst: count)
  }
}

/// What one connection has sent lately.
public struct SendingMeter: Sendable {
  /// What there was too much of.
  public enum Excess: Sendable, Equatable {
    case messages, bytes, subscribes
  }

  public enum Verdict: Sendable, Equatable {
    case accepted
    /// Not now: it would be accepted after so many milliseconds.
    case refused(Excess, afterMS: Int)
    /// It was refused so often, and goes on, that it is to be closed.
    case offends
  }

  /// Nobody is told to wait for less: who does as told then has room for more than one message.
  static let shortestWaitMS = 1_000

  private var messages = TokenBucket()
  private var bytes = TokenBucket()
  private var subscribes = TokenBucket()
  private var refusals = TokenBucket()

  public init() {}

  /// Bytes have come. `offends` when another burst of them came after all that may come at once: then no message may
  /// ever be complete, to be refused.
  public mutating func bytesArrived(_ count: Int, _ limits: SendingLimits, now: NIODeadline) -> Verdict {
    guard let rate = limits.bytes else { return .accepted }
    bytes.charge(count, at: rate, now: now)
    return bytes.debt(at: rate, now: now) > rate.burst ? .offends : .accepted
  }

  /// Frames have come that only go on with a message. `offends` when another burst of them came after all that may come
  /// at once: the message may never be complete, to be refused.
  public mutating func fragmentsArrived(_ count: Int, _ limits: SendingLimits, now: NIODeadline) -> Verdict {
    guard let rate = limits.messages else { return .accepted }
    messages.charge(count, at: rate, now: now)
    return messages.debt(at: rate, now: now) > rate.burst ? .offends : .accepted
  }

  /// A message has come, or a control frame.
  public mutating func messageArrived(_ limits: SendingLimits, now: NIODeadline) -> Verdict {
    if let rate = limits.bytes, let wait = bytes.wait(at: rate, now: now) {
      return refuse(.bytes, wait, limits, now: now)
    }
    if let rate = limits.messages, let wait = messages.take(at: rate, now: now) {
      return refuse(.messages, wait, limits, now: now)
    }
    return .accepted
  }

  /// The message is a subscribe.
  public mutating func subscribeArrived(_ limits: SendingLimits, now: NIODeadline) -> Verdict {
    guard let rate = limits.subscribes, let wait = subscribes.take(at: rate, now: now) else {
      return .accepted
    }
    return refuse(.subscribes, wait, limits, now: now)
  }

  private mutating func refuse(
    _ excess: Excess,
    _ wait: Int,
    _ limits: SendingLimits,
    now: NIODeadline
  ) -> Verdict {
    guard refusals.take(at: limits.patience, now: now) == nil else { return .offends }
    return .refused(excess, afterMS: max(SendingMeter.shortestWaitMS, wait))
  }
}
