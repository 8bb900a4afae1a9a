public import Wire

/// What a delivery checker found.
public struct DeliveryVerdict: Sendable, CustomStringConvertible {
  public enum Fault: String, Sendable, CaseIterable {
    /// Acknowledged to its publisher, owed to a subscriber, never received, and covered by no gap event.
    case lost
    /// Received twice, or stored twice for one publish.
    case duplicated
    /// Received after one that follows it in the log.
    case reordered
    /// The stream went on somewhere else and no gap event said so.
    case undetectedGap
    /// Another payload than the one that was published, or that others received, at this cursor.
    case wrongPayload
    /// A gap event whose `from` is not the position that was held.
    case misstatedGap
  }

  /// Of each fault, so many lines of evidence are kept.
  public static let evidenceLimit = 20

  public private(set) var counts: [Fault: Int] = [:]
  public private(set) var evidence: [Fault: [String]] = [:]
  /// Acknowledged publishes.
  public internal(set) var acknowledged = 0
  /// Subscribers that were checked.
  public internal(set) var subscribers = 0
  /// Messages that they received.
  public internal(set) var deliveries = 0
  /// Gap events by reason. They are no fault by themselves: a test says where it allows them.
  public internal(set) var gaps: [GapReason: Int] = [:]
  /// Messages owed and acknowledged that gap events said may be missing.
  public internal(set) var announcedMissing = 0
  /// What subscribers wrote down as what should never be, with their names.
  public internal(set) var complaints: [String] = []

  /// Whether nothing is wrong.
  public var isClean: Bool { counts.isEmpty && complaints.isEmpty }

  public subscript(fault: Fault) -> Int { counts[fault] ?? 0 }

  mutating func found(_ fault: Fault, _ line: @autoclosure () -> String, times count: Int = 1) {
    guard count > 0 else { return }
    counts[fault, default: 0] += count
    if evidence[fault, default: []].count < DeliveryVerdict.evidenceLimit {
      evidence[fault, default: []].append(line())
    }
  }

  public var description: String {
    var lines = [
      "\(subscribers) subscribers, \(acknowledged) acknowledged publishes, \(deliveries) deliveries: "
        + Fault.allCases.map { "\($0.rawValue) \(self[$0])" }.joined(separator: ", ")
    ]
    for (reason, count) in gaps.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      lines.append("  \(count) gaps told: \(reason.rawValue)")
    }
    if announcedMissing > 0 { lines.append("  \(announcedMissing) messages missing as told") }
    for fault in Fault.allCases {
      for line in evidence[fault] ?? [] { lines.append("  \(fault.rawValue): \(line)") }
      let more = self[fault] - (evidence[fault]?.count ?? 0)
      if more > 0, evidence[fault]?.count == DeliveryVerdict.evidenceLimit {
        lines.append("  \(fault.rawValue): and more")
      }
    }
    for complaint in complaints.prefix(DeliveryVerdict.evidenceLimit) {
      lines.append("  complaint: \(complaint)")
    }
    return lines.joined(separator: "\n")
  }
}
