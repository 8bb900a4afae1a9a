import NIOCore
import SluiceClient

/// What journals say of connections: how long somebody was without one, and how many came at once.
struct ConnectionTimes {
  /// How long clients were without a connection, each time that one of theirs ended, in milliseconds, by
  /// transport, ascending. None at all is a time, too.
  private(set) var without: [SubscriberTransport: [Int]] = [:]
  /// Connections made after `start`, by transport.
  private(set) var reconnects: [SubscriberTransport: Int] = [:]
  private var dials: [String: [NIODeadline]] = [:]

  /// Of the time since `start`, when everyone was connected.
  init(_ journals: [DeliveryJournal], since start: NIODeadline) {
    for journal in journals {
      let ready = journal.connections.compactMap { connection in
        connection.readyAt.map { (from: $0, to: connection.endedAt ?? .distantFuture) }
      }
      var covered = ready.first?.to ?? start
      for connection in ready.sorted(by: { $0.from < $1.from }) {
        if connection.from > start {
          let wait = max(0, (connection.from - covered).nanoseconds)
          without[journal.transport, default: []].append(Int(wait / 1_000_000))
        }
        covered = max(covered, connection.to)
      }
      for connection in journal.connections where connection.dialedAt > start {
        reconnects[journal.transport, default: 0] += 1
        if let node = connection.node { dials[node, default: []].append(connection.dialedAt) }
      }
    }
    for transport in without.keys { without[transport]!.sort() }
  }

  func without(_ transport: SubscriberTransport, at share: Double) -> Int {
    let times = without[transport] ?? []
    return times.isEmpty ? 0 : times[min(times.count - 1, Int(Double(times.count) * share))]
  }

  /// The most connections that were begun within 100 ms and went to one node.
  var peak: (node: String, count: Int) {
    var peak = (node: "none", count: 0)
    for (node, times) in dials {
      let times = times.sorted()
      var first = 0
      for last in times.indices {
        while times[last] - times[first] > .milliseconds(100) { first += 1 }
        if last - first + 1 > peak.count { peak = (node, last - first + 1) }
      }
    }
    return peak
  }
}

extension ConnectionTimes: CustomStringConvertible {
  var description: String {
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
