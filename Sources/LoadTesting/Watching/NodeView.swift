import NIOCore
import SluiceClient
import Wire

/// A node as `GET /v1/nodes` shows it.
struct NodeView: Sendable {
  var node: String
  var incarnation: String
  var state: String
  /// Another process has its name now.
  var isReplaced: Bool
  var connections: Int
  var memory: Int
  /// Of a drain: sessions a second, and those that it had to close.
  var drainPace: Double
  var forced: Int

  init?(_ object: JSONObject) {
    guard let node = object["node"]?.string, let incarnation = object["incarnation"]?.string,
      let state = object["state"]?.string
    else { return nil }
    self.node = node
    self.incarnation = incarnation
    self.state = state
    isReplaced = object["replaced_by"] != nil
    let count = { (name: StaticString) in Int(object["connections"]?.object?[name]?.integer ?? 0) }
    connections = count("websocket") + count("sse") + count("poll")
    memory = Int(object["memory_bytes"]?.integer ?? 0)
    let drain = object["drain"]?.object
    drainPace = drain?["per_second"].flatMap { Double(String(buffer: $0.bytes)) } ?? 0
    forced = Int(drain?["forced"]?.integer ?? 0)
  }

  /// Of a list, the newest process of each name; nil also where it is not the whole cluster.
  static func list(_ body: ByteBuffer) -> [NodeView]? {
    guard let list = try? JSONObject(body), list["problem"] == nil, let elements = list["nodes"]?.elements
    else { return nil }
    let views = elements.compactMap { $0.object.flatMap(NodeView.init) }
    return views.filter { view in
      !view.isReplaced && (view.isThere || !views.contains { $0.node == view.node && $0.isThere })
    }
  }

  private var isThere: Bool { state != "dead" && state != "stopped" }
}

/// What a node's `/metrics` says of its process.
struct ProcessView: Sendable {
  var node: String
  var incarnation: String
  var processorSeconds: Double

  init?(_ metrics: String) {
    var node: String?
    var incarnation: String?
    var seconds: Double?
    for line in metrics.split(separator: "\n") {
      if line.hasPrefix("process_cpu_seconds_total ") {
        seconds = line.split(separator: " ").last.flatMap { Double($0) }
      } else if line.hasPrefix("sluice_info{") {
        node = ProcessView.label("node", in: line)
        incarnation = ProcessView.label("incarnation", in: line)
      }
    }
    guard let node, let incarnation, let seconds else { return nil }
    self.node = node
    self.incarnation = incarnation
    processorSeconds = seconds
  }

  private static func label(_ name: String, in line: Substring) -> String? {
    for part in line.drop(while: { $0 != "{" }).dropFirst().split(separator: ",") {
      let words = part.split(separator: "=", maxSplits: 1)
      if words.count == 2, words[0] == name { return words[1].split(separator: "\"").first.map(String.init) }
    }
    return nil
  }
}
