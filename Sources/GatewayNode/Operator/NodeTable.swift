public import NIOCore
private import Wire

/// The nodes of a cluster as a table for a person.
public struct NodeTable: CustomStringConvertible {
  public let rows: String
  /// Why they are not all of the cluster, in a sentence.
  public let problem: String?

  public var description: String { [rows, problem].compactMap { $0 }.joined(separator: "\n") }

  /// Nil when `body` is not what `GET /v1/nodes` answers. Processes that another one of their name has replaced are
  /// left out.
  public init?(_ body: ByteBuffer) {
    guard let object = try? JSONObject(body), let nodes = object["nodes"]?.elements else { return nil }
    var rows = [
      [
        "NODE", "STATE", "VERSION", "UPTIME", "WEBSOCKET", "SSE", "POLL", "IN/S", "OUT/S", "CONN/S",
        "ACCEPT/S",
        "MEMORY", "LAG", "HEALTH", "DRAIN",
      ]
    ]
    for node in nodes {
      guard let node = node.object, let name = node["node"]?.string else { return nil }
      if node["replaced_by"] != nil { continue }
      let connections = node["connections"]?.object
      let rates = node["rates"]?.object
      rows.append([
        name, node["state"]?.string ?? "-", node["version"]?.string ?? "-", NodeTable.uptime(node),
        NodeTable.number(connections?["websocket"]), NodeTable.number(connections?["sse"]),
        NodeTable.number(connections?["poll"]), NodeTable.rate(rates?["messages_in"]),
        NodeTable.rate(rates?["messages_out"]), NodeTable.rate(rates?["connects"]),
        NodeTable.rate(node["accept_rate"]), NodeTable.memory(node["memory_bytes"]?.integer),
        NodeTable.lag(node["loop_lag_ms"]), NodeTable.health(node), NodeTable.drain(node["drain"]?.object),
      ])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let lines = rows.map { row in
      let cells = zip(row, widths).map { cell, width in
        cell + String(repeating: " ", count: width - cell.count)
      }
      return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
    }
    problem = object["problem"]?.string.map { "the other nodes cannot be listed: \($0)" }
    self.rows = lines.joined(separator: "\n")
  }

  private static func number(_ field: JSONField?) -> String {
    (field?.integer).map(String.init) ?? "-"
  }

  private static func rate(_ field: JSONField?) -> String {
    guard let rate = field?.number else { return "-" }
    return rate >= 10 || rate == rate.rounded() ? "\(rate.whole())" : "\(rate)"
  }

  private static func lag(_ field: JSONField?) -> String {
    (field?.number).map { "\($0.whole())ms" } ?? "-"
  }

  private static func memory(_ bytes: Int64?) -> String {
    guard let bytes else { return "-" }
    return bytes < 10 << 30 ? "\(bytes >> 20)MiB" : "\(bytes >> 30)GiB"
  }

  /// Of a node that is gone, how long ago it was heard.
  private static func uptime(_ node: JSONObject) -> String {
    if node["alive"]?.bool == false { return "\(uptime(node["seen_s"]?.integer ?? 0)) ago" }
    return (node["uptime_s"]?.integer).map(uptime) ?? "-"
  }

  private static func uptime(_ seconds: Int64) -> String {
    switch seconds {
    case ..<60: "\(seconds)s"
    case ..<3_600: "\(seconds / 60)m\(seconds % 60)s"
    case ..<86_400: "\(seconds / 3_600)h\(seconds % 3_600 / 60)m"
    default: "\(seconds / 86_400)d\(seconds % 86_400 / 3_600)h"
    }
  }

  private static func health(_ node: JSONObject) -> String {
    guard node["alive"]?.bool != false, let health = node["health"]?.object else { return "-" }
    if health["publish"]?.bool == false { return "no publishes" }
    return health["feed"]?.bool == false ? "no feed" : "ok"
  }

  private static func drain(_ drain: JSONObject?) -> String {
    guard let drain else { return "-" }
    return "\(number(drain["remaining"])) left, \(number(drain["seconds_left"]))s"
  }
}
