internal import Brokering
internal import NIOCore
internal import Sessions
internal import Wire

/// The nodes of the cluster, as its registry and this node itself know them: the living, and for a while the dead.
struct ClusterNodes {
  /// By name, the later process of one name first.
  let reports: [NodeReport]
  /// Why this node alone is there; nil when these are all.
  let problem: String?

  /// What the registry has, this node's own entry as it is now.
  static func read(_ status: NodeStatus) async throws(BrokerError) -> ClusterNodes {
    ClusterNodes(try await status.broker.nodes(), own: status.report)
  }

  /// The same, to be shown: while the registry cannot be read, this node alone.
  static func view(_ status: NodeStatus) async -> ClusterNodes {
    do throws(BrokerError) {
      return try await read(status)
    } catch {
      return ClusterNodes([], own: status.report, problem: error.reason)
    }
  }

  init(_ records: [NodeRecord], own: NodeReport, problem: String? = nil) {
    self.problem = problem
    let others = records.filter { $0.incarnation != own.incarnation }.map(ClusterNodes.report)
    let all = (others + [own]).sorted {
      ($0.node, $1.startedAt, $0.incarnation) < ($1.node, $0.startedAt, $1.incarnation)
    }
    var last: NodeReport?
    reports = all.map { report in
      defer { if last?.node != report.node { last = report } }
      guard let last, last.node == report.node else { return report }
      return report.followed(by: last)
    }
  }

  /// The node of that name, or that incarnation: of those that share a name a living one, the latest.
  subscript(name: String) -> NodeReport? {
    let named = reports.filter { $0.node == name || $0.incarnation == name }
    return named.first(where: \.isAlive) ?? named.first
  }

  /// Those that live under a name; more than one is a mistake in the settings.
  func living(_ name: String) -> [NodeReport] {
    reports.filter { $0.node == name && $0.isAlive }
  }

  /// Connections a second that a node which drains may send to the others that can take any, its share of what they
  /// take; nil when there are none.
  func acceptable(besides own: String) -> Double? {
    let others = reports.filter { $0.isAlive && $0.state == .ready && $0.incarnation != own }
    return others.isEmpty ? nil : others.reduce(0) { $0 + $1.load.acceptRate } * share(of: own)
  }

  /// The part of a node among all that send sessions away. Half of the whole is shared alike, so that nobody starves,
  /// and half by the sessions that are left, so that all are done at about the same time.
  private func share(of own: String) -> Double {
    let sending = reports.filter { $0.incarnation == own || $0.sendsAway }
    let sessions = sending.reduce(0) { $0 + $1.sessionsLeft }
    let alike = 1 / Double(max(1, sending.count))
    guard sessions > 0, let left = sending.first(where: { $0.incarnation == own })?.sessionsLeft else {
      return alike
    }
    return (alike + left / sessions) / 2
  }

  var json: ByteBuffer {
    var bytes = ByteBuffer()
    bytes.openObject()
    write(to: &bytes)
    bytes.closeObject()
    return bytes
  }

  /// Writes its members into an open object.
  func write(to bytes: inout ByteBuffer) {
    bytes.writeMember("nodes", arrayOf: reports) { $1.write(to: &$0) }
    if let problem { bytes.writeMember("problem", problem) }
  }

  /// What its record says of a node.
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
    report.silence = record.silence
    return record.isAlive ? report : report.dead(replacedBy: nil)
  }
}

extension NodeReport {
  /// Whether it takes a share of what the others accept, or soon will: also while it settles, and until those whom it
  /// told last have come to another node.
  fileprivate var sendsAway: Bool {
    isAlive && state == .draining && sessionsLeft > 0 && drain?.step != .overdue
  }

  fileprivate var sessionsLeft: Double { Double(max(0, drain?.remaining ?? 0)) }

  /// How long ago the process began, in seconds, by the clock of the registry alone. A little less than the truth.
  private var age: Int { uptime + Int(silence.nanoseconds / 1_000_000_000) }

  /// A node that is dead holds nothing, whatever it said last.
  fileprivate func dead(replacedBy successor: String?) -> NodeReport {
    var report = self
    report.life = .dead(replacedBy: successor)
    report.connections = Connections()
    report.drain = nil
    report.load = NodeLoad()
    return report
  }

  /// The same, when a later process has its name. Its lease may last for some seconds more, but it has said nothing
  /// since the other began; if it has, both live.
  fileprivate func followed(by later: NodeReport) -> NodeReport {
    let heardSince = later.age - Int(silence.nanoseconds / 1_000_000_000)
    return isAlive && heardSince > NodeReport.overlap ? self : dead(replacedBy: later.incarnation)
  }

  /// Ages are whole seconds, told every second or two.
  private static let overlap = 3
}
