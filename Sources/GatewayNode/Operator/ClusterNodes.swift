internal import Wire
internal import Sessions
internal import Brokering
internal import NIOCore

/// The nodes of the cluster, as its registry and this node itself know them.
struct ClusterNodes {
  /// By name; a node that came back hides its earlier lives.
  let reports: [NodeReport]

  /// What the registry has, this node's own entry as it is now.
  static func read(_ status: NodeStatus) async throws(BrokerError) -> ClusterNodes {
    ClusterNodes(try await status.broker.nodes(), own: status.report)
  }

  init(_ records: [NodeRecord], own: NodeReport) {
    let others = records.filter { $0.incarnation != own.incarnation }.map { record in
      (report: ClusterNodes.report(of: record), isAlive: record.isAlive)
    }
    let living = Set(others.filter(\.isAlive).map(\.report.node) + [own.node])
    let shown = others.filter { $0.isAlive || !living.contains($0.report.node) }.map(\.report)
    reports = (shown + [own]).sorted { ($0.node, $0.incarnation) < ($1.node, $1.incarnation) }
  }

  /// The node of that name; where two have it, the one that serves.
  subscript(name: String) -> NodeReport? {
    let named = reports.filter { $0.node == name }
    return named.first { $0.state == .ready } ?? named.first
  }

  var json: ByteBuffer {
    var bytes = ByteBuffer()
    bytes.openObject()
    bytes.writeMember("nodes", arrayOf: reports) { $1.write(to: &$0) }
    bytes.closeObject()
    return bytes
  }

  /// A node whose lease is over holds nothing, whatever it said last.
  private static func report(of record: NodeRecord) -> NodeReport {
    var report =
      NodeReport(record.state)
      ?? NodeReport(
        node: String(record.incarnation.prefix { $0 != "/" }),
        incarnation: record.incarnation,
        state: .starting,
        version: "",
        uptime: 0
      )
    if !record.isAlive {
      report.state = .stopped
      report.connections = NodeReport.Connections()
      report.drain = nil
    }
    return report
  }
}
