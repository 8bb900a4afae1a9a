public import NIOCore
public import SluiceClient

/// What journals say of connections: how long somebody was without one, and how many came at once.
public struct ConnectionTimes: Sendable {
  /// How long clients were without a connection, each time that one of theirs ended, in microseconds, by
  /// transport. None at all is a time, too. Between two long polls there is none as well: the longest such time of
  /// each series counts.
  public private(set) var without: [SubscriberTransport: TimeDistribution] = [:]
  /// Connections made after `start`, by transport.
  public private(set) var reconnects: [SubscriberTransport: Int] = [:]
  /// Sessions that a node closed although it had asked them to go, or without asking.
  public private(set) var forced = 0
  private var dials: [String: [NIODeadline]] = [:]

  /// What a node closes with when it drains and does not wait any more.
  private static let drainCode: UInt16 = 1012

  /// Of the time since `start`, when everyone was connected.
  public init(_ journals: [DeliveryJournal], since start: NIODeadline) {
    for journal in journals {
      let ready = journal.connections.compactMap { connection in
        connection.readyAt.map { (from: $0, to: connection.endedAt ?? .distantFuture) }
      }
      var covered = ready.first?.to ?? start
      for connection in ready.sorted(by: { $0.from < $1.from }) {
        if connection.from > start { record(max(.zero, connection.from - covered), of: journal.transport) }
        covered = max(covered, connection.to)
      }
      for connection in journal.connections {
        if connection.longestPause > .zero { record(connection.longestPause, of: journal.transport) }
        if let end = connection.endedAt, end > start, connection.closeCode == ConnectionTimes.drainCode {
          forced += 1
        }
        guard connection.dialedAt > start else { continue }
        reconnects[journal.transport, default: 0] += 1
        if let node = connection.node { dials[node, default: []].append(connection.dialedAt) }
      }
    }
  }

  private mutating func record(_ time: TimeAmount, of transport: SubscriberTransport) {
    without[transport, default: TimeDistribution()].record(Int(time.nanoseconds / 1_000))
  }

  /// In milliseconds, rounded down.
  public func without(_ transport: SubscriberTransport, at share: Double) -> Int {
    (without[transport]?.percentile(share * 100) ?? 0) / 1_000
  }

  /// The most connections to each node that were begun within 100 ms.
  public var peaks: [(node: String, count: Int)] {
    dials.map { node, times in
      let times = times.sorted()
      var most = 0
      var first = 0
      for last in times.indices {
        while times[last] - times[first] > .milliseconds(100) { first += 1 }
        most = max(most, last - first + 1)
      }
      return (node, most)
    }.sorted { $0.node < $1.node }
  }

  /// The largest of them.
  public var peak: (node: String, count: Int) {
    peaks.max { $0.count < $1.count } ?? ("none", 0)
  }
}

extension ConnectionTimes: CustomStringConvertible {
  public var description: String {
    var lines = without.keys.sorted { $0.rawValue < $1.rawValue }.map { transport in
      """
        \(transport.rawValue): \(reconnects[transport] ?? 0) reconnects, without a connection p50 \
      \(without(transport, at: 0.5)) ms, p99 \(without(transport, at: 0.99)) ms, at most \
      \(without(transport, at: 1)) ms
      """
    }
    lines.append("  at most \(peak.count) new connections within 100 ms, on \(peak.node)")
    return lines.joined(separator: "\n")
  }
}
