public import NIOCore
private import Wire

/// A cluster in one line for a person.
public struct ClusterSummary: CustomStringConvertible {
  public let description: String

  /// Nil when `body` is not what `GET /v1/nodes` answers.
  public init?(_ body: ByteBuffer) {
    guard let nodes = (try? JSONObject(body))?["nodes"]?.elements?.compactMap(\.object) else { return nil }
    let living = nodes.filter { $0["alive"]?.bool != false }
    let most: Int64 = 1_000_000_000_000_000
    var connections: Int64 = 0
    var (messagesIn, messagesOut, resumes, reads) = (0.0, 0.0, 0.0, 0.0)
    for node in living {
      for transport: StaticString in ["websocket", "sse", "poll"] {
        let count = node["connections"]?.object?[transport]?.integer ?? 0
        connections = (connections + count.clamped(to: 0...most)).clamped(to: 0...most)
      }
      messagesIn += node["rates"]?.object?["messages_in"]?.number ?? 0
      messagesOut += node["rates"]?.object?["messages_out"]?.number ?? 0
      resumes += node["resumes"]?.object?["total"]?.number ?? 0
      reads += node["resumes"]?.object?["redis_reads"]?.number ?? 0
    }
    var parts = ["\(living.count) \(living.count == 1 ? "node" : "nodes")"]
    for state in ["starting", "draining", "drained"] {
      let count = living.count { $0["state"]?.string == state }
      if count > 0 { parts.append("\(count) \(state)") }
    }
    parts.append("\(connections) connections")
    parts.append("\(messagesIn.whole())/s in, \(messagesOut.whole())/s out")
    if resumes > 0 {
      parts.append("\((reads * 1_000 / resumes).whole(.up)) Redis reads per 1000 resumes")
    }
    description = parts.joined(separator: "  ")
  }
}
