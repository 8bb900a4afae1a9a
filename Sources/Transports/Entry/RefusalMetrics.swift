import Admission
import NIOHTTP1
public import Telemetry
import Wire

/// What was refused or ended, by the limit that it was over.
public final class RefusalMetrics: Sendable {
  public let connections = Counter()
  public let address = Counter()
  public let user = Counter()
  public let memory = Counter()
  public let requests = Counter()
  public let messages = Counter()
  public let bytes = Counter()
  public let subscribes = Counter()
  public let channels = Counter()
  public let reads = Counter()
  /// Reads of logs, and polls that might have taken some, of an address that has had too many.
  public let addressReads = Counter()
  /// Tokens that were not looked at, because their address has shown too many that no key verifies.
  public let tokens = Counter()
  /// Connections closed because they went on sending what was refused.
  public let offenders = Counter()
  /// WebSockets closed after too many messages that mean nothing.
  public let badMessages = Counter()

  /// Requests whose head, or body, was not there in time.
  public let headTime = Counter()
  public let bodyTime = Counter()
  /// Connections closed between two requests, or before they took their last answer.
  public let idle = Counter()
  /// Connections that were closed after an answer because as many as may wait for a request already did.
  public let idleConnections = Counter()
  public let headSize = Counter()
  public let targetSize = Counter()
  public let bodySize = Counter()
  public let messageSize = Counter()
  public let messageTime = Counter()
  /// WebSockets closed because no ping was answered.
  public let silent = Counter()

  public init() {}

  /// Each with the label that it is shown under.
  public var all: [(reason: String, counter: Counter)] {
    [
      ("connections", connections), ("address", address), ("user", user), ("memory", memory),
      ("requests", requests), ("messages", messages), ("bytes", bytes),
      ("subscribes", subscribes), ("channels", channels),
      ("reads", reads), ("address_reads", addressReads), ("tokens", tokens), ("offender", offenders),
      ("bad_messages", badMessages), ("head_time", headTime),
      ("body_time", bodyTime), ("idle", idle), ("idle_connections", idleConnections),
      ("head_size", headSize), ("target_size", targetSize), ("body_size", bodySize),
      ("message_size", messageSize), ("message_time", messageTime), ("silent", silent),
    ]
  }

  /// Counts what a WebSocket sent too much of.
  func count(_ excess: SendingMeter.Excess) {
    switch excess {
    case .messages: messages.add()
    case .bytes: bytes.add()
    case .subscribes: subscribes.add()
    }
  }

  /// Counts a request that was refused before any handler had it, if that was for its size.
  func refused(_ problem: Problem) {
    guard problem.error.code == .tooLarge else { return }
    switch problem.status {
    case .uriTooLong: targetSize.add()
    case .requestHeaderFieldsTooLarge: headSize.add()
    default: bodySize.add()
    }
  }
}
