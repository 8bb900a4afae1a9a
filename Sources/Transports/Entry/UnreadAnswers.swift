import NIOCore
import Telemetry

/// Somebody who may leave answers unread.
protocol UnreadAnswer: AnyObject {
  /// Bytes that were written and that the system has not taken.
  var unsentBytes: Int { get }

  /// Closes the connection at once.
  func giveUp()
}

/// What the clients of one event loop have not read of their answers. One page may have a mebibyte, and its client need
/// not read any of it: so that many of them do not take the node's memory together, the rest is bounded, and who reads
/// nothing is given up first.
///
/// Confined to its loop.
final class UnreadAnswers {
  private struct Entry {
    let connection: any UnreadAnswer
    var bytes: Int
    /// When it was last seen to read, as a number that grows.
    var turn: UInt64
  }

  /// Less than this is every slow reader's own matter.
  static let smallest = 128 << 10

  private let eventLoop: any EventLoop
  private let limit: Int
  private let givenUp: Counter
  private var entries: [ObjectIdentifier: Entry] = [:]
  private var turn: UInt64 = 0
  private var isRelieving = false
  /// Of all of them.
  private(set) var bytes = 0

  /// - Parameters:
  ///   - limit: bytes that may be unread.
  ///   - givenUp: counts who is given up.
  init(eventLoop: any EventLoop, limit: Int, givenUp: Counter) {
    self.eventLoop = eventLoop
    self.limit = limit
    self.givenUp = givenUp
  }

  func writabilityChanged(_ isWritable: Bool, of connection: some UnreadAnswer) {
    self.left(connection)
    guard !isWritable else { return }
    let unsent = connection.unsentBytes
    guard unsent >= Self.smallest else { return }
    self.turn += 1
    self.entries[ObjectIdentifier(connection)] = Entry(connection: connection, bytes: unsent, turn: self.turn)
    self.bytes += unsent
    guard self.bytes > self.limit, !self.isRelieving else { return }
    // Whoever is written to now is in the middle of something, and may still read it.
    self.isRelieving = true
    self.eventLoop.assumeIsolated().execute { self.relieve() }
  }

  func left(_ connection: some UnreadAnswer) {
    guard !self.entries.isEmpty, let entry = self.entries.removeValue(forKey: ObjectIdentifier(connection))
    else { return }
    self.bytes -= entry.bytes
  }

  /// Gives up the longest unread ones, somewhat more than need be, so that not each answer has all of them looked at.
  private func relieve() {
    self.isRelieving = false
    let aim = self.limit - self.limit / 8
    let oldest = self.entries.sorted { $0.value.turn < $1.value.turn }
    for (id, entry) in oldest where self.bytes > aim {
      let unsent = entry.connection.unsentBytes
      guard unsent < entry.bytes else {
        self.giveUp(entry.connection)
        continue
      }
      self.turn += 1
      self.bytes -= entry.bytes - unsent
      self.entries[id] = Entry(connection: entry.connection, bytes: unsent, turn: self.turn)
    }
    // All of them read, too slowly for so many.
    for (_, entry) in oldest where self.bytes > self.limit { self.giveUp(entry.connection) }
  }

  private func giveUp(_ connection: some UnreadAnswer) {
    self.left(connection)
    self.givenUp.add()
    connection.giveUp()
  }
}

extension ChannelHandlerContext {
  /// Bytes that were written to the channel and that the system has not taken.
  var unsentBytes: Int { (try? self.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }
}

@available(*, unavailable)
extension UnreadAnswers: Sendable {}
