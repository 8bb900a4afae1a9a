import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// Requests of which two readers may think differently where they end. Each hides a publish in what one of them takes
  /// for a body: it must never be carried out without an answer of its own.
  @Suite struct SmugglingTests {
    private struct Trick {
      let name: String
      /// The head without its request line and `Host`.
      let head: String
      /// What stands between the head and the hidden request.
      var before = ""
      var version = "1.1"
      /// How the head's lines end.
      var lineEnd = "\r\n"
    }

    private static let tricks = [
      Trick(name: "CL.TE", head: "Content-Length: 6\r\nTransfer-Encoding: chunked", before: "0\r\n\r\n"),
      Trick(name: "TE.CL", head: "Transfer-Encoding: chunked\r\nContent-Length: 5", before: "0\r\n\r\n"),
      Trick(name: "two lengths", head: "Content-Length: 0\r\nContent-Length: 300"),
      Trick(name: "two lengths, the other way", head: "Content-Length: 300\r\nContent-Length: 0"),
      Trick(name: "the same length twice", head: "Content-Length: 0\r\nContent-Length: 0"),
      Trick(name: "a list of lengths", head: "Content-Length: 0, 300"),
      Trick(name: "a list of one length", head: "Content-Length: 0, 0"),
      Trick(name: "a signed length", head: "Content-Length: +0"),
      Trick(name: "minus", head: "Content-Length: -1"),
      Trick(name: "a hexadecimal length", head: "Content-Length: 0x10"),
      Trick(name: "a huge length", head: "Content-Length: 99999999999999999999999"),
      Trick(name: "a length with a space", head: "Content-Length : 0"),
      Trick(name: "a length with a blank inside", head: "Content-Length: 0 0"),
      Trick(
        name: "TE twice",
        head: "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        before: "0\r\n\r\n"
      ),
      Trick(name: "TE list", head: "Transfer-Encoding: identity, chunked", before: "0\r\n\r\n"),
      Trick(name: "TE wrong order", head: "Transfer-Encoding: chunked, identity", before: "0\r\n\r\n"),
      Trick(name: "TE unknown", head: "Transfer-Encoding: xchunked", before: "0\r\n\r\n"),
      Trick(name: "TE with a space", head: "Transfer-Encoding : chunked", before: "0\r\n\r\n"),
      Trick(name: "TE with a tab", head: "Transfer-Encoding:\tchunked", before: "0\r\n\r\n"),
      Trick(name: "TE with a vertical tab", head: "Transfer-Encoding: \u{b}chunked", before: "0\r\n\r\n"),
      Trick(name: "TE quoted", head: "Transfer-Encoding: \"chunked\"", before: "0\r\n\r\n"),
      Trick(name: "TE with a parameter", head: "Transfer-Encoding: chunked;q=1", before: "0\r\n\r\n"),
      Trick(name: "TE in capitals", head: "TRANSFER-ENCODING: CHUNKED", before: "0\r\n\r\n"),
      Trick(name: "TE behind a bare LF", head: "X: y\nTransfer-Encoding: chunked", before: "0\r\n\r\n"),
      Trick(name: "TE behind a bare CR", head: "X: y\rTransfer-Encoding: chunked", before: "0\r\n\r\n"),
      Trick(name: "TE folded", head: "Transfer-Encoding:\r\n chunked", before: "0\r\n\r\n"),
      Trick(name: "a folded field", head: "X: y\r\n Content-Length: 300"),
      Trick(name: "TE with an underscore", head: "Transfer_Encoding: chunked", before: "0\r\n\r\n"),
      Trick(
        name: "HTTP/1.0 with TE",
        head: "Transfer-Encoding: chunked",
        before: "0\r\n\r\n",
        version: "1.0"
      ),
      Trick(
        name: "HTTP/1.0 with TE and keep-alive",
        head: "Connection: keep-alive\r\nTransfer-Encoding: chunked",
        before: "0\r\n\r\n",
        version: "1.0"
      ),
      Trick(name: "bare LFs", head: "Content-Length: 0", lineEnd: "\n"),
      Trick(name: "a chunk extension", head: "Transfer-Encoding: chunked", before: "0;a=b\r\n\r\n"),
      Trick(name: "a chunk extension with LF", head: "Transfer-Encoding: chunked", before: "0;a\nb\r\n\r\n"),
      Trick(
        name: "a chunk's size that overflows",
        head: "Transfer-Encoding: chunked",
        before: "10000000000000000\r\n\r\n"
      ),
      Trick(name: "a signed chunk", head: "Transfer-Encoding: chunked", before: "+0\r\n\r\n"),
      Trick(name: "a chunk of 0x0", head: "Transfer-Encoding: chunked", before: "0x0\r\n\r\n"),
      Trick(name: "a chunk that ends in LF", head: "Transfer-Encoding: chunked", before: "0\n\r\n"),
      Trick(
        name: "a trailer of a length",
        head: "Transfer-Encoding: chunked",
        before: "0\r\nContent-Length: 300\r\n\r\n"
      ),
      Trick(name: "Expect", head: "Expect: 100-continue\r\nContent-Length: 0"),
      Trick(
        name: "an upgrade with a body",
        head: "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 0"
      ),
      Trick(name: "Connection hides the length", head: "Connection: Content-Length\r\nContent-Length: 0"),
      Trick(name: "a nul", head: "X: \u{0}\r\nContent-Length: 0"),
      Trick(name: "an empty name", head: ": y\r\nContent-Length: 0"),
      Trick(name: "a line without a colon", head: "nonsense\r\nContent-Length: 0"),
      Trick(name: "a blank before the first field", head: " X: y\r\nContent-Length: 0"),
    ]

    @Test(arguments: ["GET", "POST"], [false, true])
    func nothingIsCarriedOutUnanswered(_ method: String, _ throughProxy: Bool) async throws {
      let cluster = try await ClusterTests.cluster()
      let endpoint = throughProxy ? cluster.nginx : cluster.node(0)
      var outcomes: [String] = []
      try await Attack.at(cluster.node(0)) {
        for (index, trick) in SmugglingTests.tricks.enumerated() {
          let channel = "smuggled:\(UInt32.random(in: .min ... .max)).\(index)"
          let hidden =
            "POST /v1/channels/\(channel)/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1"
          let connection = try await RawConnection(to: endpoint)
          let first = "\(method) /v1/channels/visible/messages HTTP/\(trick.version)"
          let head = [first, "Host: a", trick.head].joined(separator: trick.lineEnd)
          connection.send(head + trick.lineEnd + trick.lineEnd + trick.before + hidden)
          // Who takes the hidden request for a body waits for more of it, and may do so.
          let deadline = ContinuousClock.now + .milliseconds(1_500)
          while !connection.isEnded, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(5))
          }
          let stored = try await HTTP.get(cluster.node(1), "/v1/channels/\(channel)/messages")
          let wasDone = stored.object?["messages"]?.elements?.isEmpty == false
          let answers = { connection.text.ranges(of: "HTTP/1.").count }
          if wasDone {
            try await eventually("\(method) \(trick.name): an answer to what was carried out") {
              answers() >= 2
            }
          }
          outcomes.append(
            "\(trick.name): \(connection.text.prefix(12)), \(answers()) answers, \(wasDone ? "two" : "one")"
          )
          connection.close()
        }
      }
      print(outcomes.joined(separator: "\n"))
    }

    /// A request of one client never gets into the connection of another: what nginx keeps open to a node is never out
    /// of step.
    @Test func othersBehindTheProxyGetTheirOwnAnswers() async throws {
      let cluster = try await ClusterTests.cluster()
      try await Attack.at(cluster.node(0)) {
        for trick in SmugglingTests.tricks {
          let connection = try await RawConnection(to: cluster.nginx)
          let head = ["POST /v1/channels/visible/messages HTTP/\(trick.version)", "Host: a", trick.head]
            .joined(separator: trick.lineEnd)
          connection.send(head + trick.lineEnd + trick.lineEnd + trick.before + "GET /stolen HTTP/1.1\r\nX: ")
          for _ in 0..<3 {
            let answer = try await HTTP.get(cluster.nginx, "/healthz")
            #expect(answer.status == .ok, "after \(trick.name)")
          }
          connection.close()
        }
      }
    }
  }
}
