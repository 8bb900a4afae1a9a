public import NIOCore
private import Synchronization

/// Decides who may come in now, and tells everybody else when there will be room: the next one is told the time after
/// that of the one before, so that a crowd comes back as a queue. Shared by all loops of a node.
public final class AcceptGate: Sendable {
  public enum Answer: Sendable, Equatable {
    case enter
    /// There will be room after so many milliseconds.
    case comeBack(afterMS: Int)
  }

  /// By what a client is known again that comes back when it was told to. Those who are alike, or unknown, share their
  /// turns.
  public struct Client: Hashable, Sendable {
    public var address: ClientAddress?
    public var user: String?

    public init(address: ClientAddress? = nil, user: String? = nil) {
      self.address = address
      self.user = user
    }
  }

  private let queue: Mutex<AcceptQueue>

  /// - Parameters:
  ///   - rate: connects a second, more than 0.
  ///   - burst: how many may come at once, at least 1.
  public init(rate: Double, burst: Int) {
    queue = Mutex(AcceptQueue(period: AcceptGate.period(of: rate), burst: burst))
  }

  /// Connects a second that are let in at present.
  public var rate: Double { 1e9 / Double(queue.withLock { $0.period }) }

  /// From now on the rate is another; what was taken of the burst stays taken.
  public func setRate(_ rate: Double, now: NIODeadline) {
    let period = AcceptGate.period(of: rate)
    queue.withLock { $0.setPeriod(period, now: AcceptGate.time(now)) }
  }

  /// Somebody wants to come in.
  public func knock(
    by client: Client = Client(),
    now: NIODeadline,
    chance: () -> Double = { .random(in: 0..<1) }
  ) -> Answer {
    let hash = client.hashValue
    return queue.withLock { $0.knock(by: hash, now: AcceptGate.time(now), chance: chance) }
  }

  /// Whether somebody who came now would be told to come back, or room is promised to others.
  public func isBusy(now: NIODeadline) -> Bool {
    queue.withLock { $0.isBusy(now: AcceptGate.time(now)) }
  }

  /// How long the last of those who were refused was told to wait, from now on, in seconds.
  public func queueSeconds(now: NIODeadline) -> Double {
    Double(queue.withLock { $0.length(now: AcceptGate.time(now)) }) / 1e9
  }

  private static func period(of rate: Double) -> Int64 {
    Int64(min(max(1e9 / rate, 1), 1e12))
  }

  private static func time(_ deadline: NIODeadline) -> Int64 {
    Int64(clamping: deadline.uptimeNanoseconds)
  }
}
