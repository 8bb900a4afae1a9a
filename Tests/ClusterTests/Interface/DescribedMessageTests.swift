import Foundation
import NIOCore
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// What is said over a WebSocket and a stream, against the schemas that a node describes it with.
  @Suite struct DescribedMessageTests {
    /// The texts that have come, and their types.
    private func texts(_ socket: Socket) -> [(text: String, type: String)] {
      socket.arrivals.all.compactMap { arrival in
        guard case .text(let text) = arrival, let object = try? JSONObject(ByteBuffer(string: text)),
          let type = object["type"]?.string
        else { return nil }
        return (text, type)
      }
    }

    private func wait(for type: String, _ count: Int = 1, on socket: Socket) async throws {
      try await eventually("\(type), \(count) times") { texts(socket).count { $0.type == type } >= count }
    }

    @Test func everyMessageIsAsDescribed() async throws {
      let cluster = try await ClusterTests.cluster()
      let room = "described:\(UInt32.random(in: .min ... .max))"
      let socket = try await Socket(to: cluster.node(0), parsing: false)
      let other = try await Socket(to: cluster.node(1), parsing: false)
      var said: [String] = []
      func say(_ text: String, on speaker: Socket) {
        said.append(text)
        speaker.send(text: text)
      }

      say(#"{"type":"subscribe","id":1,"channel":"\#(room)","since":"start","presence":"join"}"#, on: socket)
      try await wait(for: "join", on: socket)
      say(#"{"type":"subscribe","id":1,"channel":"\#(room)","presence":"join"}"#, on: other)
      try await wait(for: "join", 2, on: socket)
      say(#"{"type":"publish","id":2,"channel":"\#(room)","data":{"n":[1,null]},"key":"k"}"#, on: other)
      try await wait(for: "message", on: socket)
      say(#"{"type":"history","id":3,"channel":"\#(room)","since":"00000000.7","limit":10}"#, on: socket)
      say(#"{"type":"presence","id":4,"channel":"\#(room)","limit":1}"#, on: socket)
      say(#"{"type":"subscribe","id":5,"channel":"\#(room):2","since":"00000000.7"}"#, on: socket)
      try await wait(for: "gap", on: socket)
      say(#"{"type":"unsubscribe","id":3,"channel":"\#(room)"}"#, on: other)
      try await wait(for: "leave", on: socket)
      say(#"{"type":"unsubscribe","id":4,"channel":"\#(room)"}"#, on: other)
      say(#"{"type":"ping","id":5}"#, on: other)
      for type in ["welcome", "subscribed", "history", "presence"] { try await wait(for: type, on: socket) }
      for type in ["published", "unsubscribed", "error", "pong"] { try await wait(for: type, on: other) }

      let stream = try await Stream(to: cluster.node(2), "channels=\(room)&since=start")
      _ = try await stream.event("message")
      let streamed = stream.items.compactMap { item -> String? in
        if case .event(let event) = item { String(buffer: event.data) } else { nil }
      }
      #expect(streamed.count == 2)

      let heard = texts(socket).map(\.text) + texts(other).map(\.text) + streamed
      let lines = said.map { "ClientMessage\t\($0)\n" } + heard.map { "ServerMessage\t\($0)\n" }
      try await check(lines.joined(), in: cluster)
      socket.abort()
      other.abort()
      stream.abort()
    }

    private func check(_ lines: String, in cluster: Cluster) async throws {
      let description = try await HTTP.get(cluster.node(0), "/v1/openapi.json").text
      let files = [(description, "messages-described.json"), (lines, "messages-said")]
      for (text, name) in files {
        try text.write(toFile: "\(cluster.directory)/\(name)", atomically: true, encoding: .utf8)
      }
      let outcome = try await Shell.run(
        ["\(Cluster.root)/.build/python/bin/python", "\(Cluster.root)/Tests/Description/messages.py"]
          + files.map { "\(cluster.directory)/\($0.1)" },
        in: cluster.directory
      )
      #expect(outcome.status == 0, "\(outcome.output)")
    }
  }
}
