public import NIOCore
private import Wire

/// The nodes of a cluster as a table for a person.
public struct NodeTable: CustomStringConvertible {
  public let description: String

  /// Nil when `body` is not what `GET /v1/nodes` answers.
  public init?(_ body: ByteBuffer) {
    guard let nodes = (try? JSONObject(body))?["nodes"]?.elements else { return nil }
    var rows = [["NODE", "STATE", "VERSION", "UPTIME", "WEBSOCKET", "SSE", "POLL", "DRAIN"]]
    for node in nodes {
      guard let node = node.object, let name = node["node"]?.string else { return nil }
      let connections = node["connections"]?.object
      rows.append([
        name, node["state"]?.string ?? "-", node["version"]?.string ?? "-",
        (node["uptime_s"]?.integer).map(NodeTable.uptime) ?? "-",
        NodeTable.number(connections?["websocket"]), NodeTable.number(connections?["sse"]),
        NodeTable.number(connections?["poll"]), NodeTable.drain(node["drain"]?.object),
      ])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    description = rows.map { row in
      let cells = zip(row, widths).map { cell, width in
        cell + String(repeating: " ", count: width - cell.count)
      }
      return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
    }
    .joined(separator: "\n")
  }

  private static func number(_ field: JSONField?) -> String {
    (field?.integer).map(String.init) ?? "-"
  }

  private static func uptime(_ seconds: Int64) -> String {
    switch seconds {
    case ..<60: "\(seconds)s"
    case ..<3_600: "\(seconds / 60)m\(seconds % 60)s"
    case ..<86_400: "\(seconds / 3_600)h\(seconds % 3_600 / 60)m"
    default: "\(seconds / 86_400)d\(seconds % 86_400 / 3_600)h"
    }
  }

  private static func drain(_ drain: JSONObject?) -> String {
    guard let drain else { return "-" }
    return "\(number(drain["remaining"])) left, \(number(drain["seconds_left"]))s"
  }
}
