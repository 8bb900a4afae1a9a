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

    /// A proper request, behind which the hidden one is another.
    private static func honest(_ method: String) -> Trick {
      method == "POST"
        ? Trick(name: "no trick", head: "Content-Length: 1", before: "1")
        : Trick(name: "no trick", head: "Accept: */*")
    }

    @Test(arguments: ["GET", "POST"], [false, true])
    func nothingIsCarriedOutUnanswered(_ method: String, _ throughProxy: Bool) async throws {
      let cluster = try await ClusterTests.cluster()
      let endpoint = throughProxy ? cluster.nginx : cluster.node(0)
      let route = try await cluster.route(to: 0)
      let isStored = { (channel: String) in
        let answer = try await HTTP.get(cluster.node(1), "/v1/channels/\(channel)/messages")
        return try #require(answer.object?["messages"]?.elements, "\(answer.text)").isEmpty == false
      }
      var outcomes: [String] = []
      var refused: [String] = []
      try await Attack.at(cluster.node(0)) {
        for (index, trick) in ([SmugglingTests.honest(method)] + SmugglingTests.tricks).enumerated() {
          let channel = "smuggled:\(UInt32.random(in: .min ... .max)).\(index)"
          let hidden =
            "POST /v1/channels/\(channel)/messages?route=\(route) HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
            + "Connection: close\r\n\r\n1"
          let connection = try await RawConnection(to: endpoint)
          let first = "\(method) /v1/channels/visible/messages?route=\(route) HTTP/\(trick.version)"
          connection.send(SmugglingTests.head(first, trick) + trick.before + hidden)
          // Who takes the hidden request for a body waits for more of it, and may do so.
          let deadline = ContinuousClock.now + .milliseconds(1_500)
          while !connection.isEnded, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(5))
          }
          let wasDone = try await isStored(channel)
          // Being told to go on is no answer.
          let answers = { connection.text.matches(of: /HTTP\/1\.[01] [2-5]/).count }
          if wasDone {
            try await eventually("\(method) \(trick.name): an answer to what was carried out") {
              answers() >= 2
            }
          } else {
            refused.append(channel)
          }
          // Were it refused for what it is, none of the tricks would tell anything.
          if index == 0 { #expect(wasDone, "\(connection.text)") }
          outcomes.append(
            "\(trick.name): \(connection.text.prefix(12)), \(answers()) answers, \(wasDone ? "two" : "one")"
          )
          connection.close()
        }
      }
      // Nor later.
      for channel in refused { #expect(try await !isStored(channel)) }
      print(outcomes.joined(separator: "\n"))
    }

    private static func head(_ first: String, _ trick: Trick) -> String {
      [first, "Host: a", trick.head].map { $0 + trick.lineEnd }.joined() + trick.lineEnd
    }

    /// A request of one client never gets into the connection of another: what nginx keeps open to a node is never out
    /// of step.
    @Test func othersBehindTheProxyGetTheirOwnAnswers() async throws {
      let cluster = try await ClusterTests.cluster()
      let route = try await cluster.route(to: 0)
      let own = "smuggled:\(UInt32.random(in: .min ... .max))"
      let elsewhere = {
        try await cluster.metric("sluice_publishes_total", of: 1)
          + cluster.metric("sluice_publishes_total", of: 2)
      }
      let before = try await elsewhere()
      var others = 0
      try await Attack.at(cluster.node(0)) {
        for trick in SmugglingTests.tricks {
          let connection = try await RawConnection(to: cluster.nginx)
          let first = "POST /v1/channels/visible/messages?route=\(route) HTTP/\(trick.version)"
          connection.send(SmugglingTests.head(first, trick) + trick.before + "GET /stolen HTTP/1.1\r\nX: ")
          // What is answered has been to the node, and the way it went is free again. Who waits for more has sent nothing.
          let deadline = ContinuousClock.now + .milliseconds(500)
          while connection.text.isEmpty, !connection.isEnded, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(2))
          }
          // Each process of nginx keeps connections of its own, and takes the one that was used last. It repeats no
          // publish on another.
          for _ in 0..<8 {
            others += 1
            let path = "/v1/channels/\(own)/messages?route=\(route)"
            let request = HTTPRequest(.POST, path, body: ByteBuffer(string: "\(others)"))
            let answer = try await HTTP.send(request, to: cluster.nginx)
            #expect(
              answer.status == .created && answer.object?["channel"]?.string == own
                && answer.object?["cursor"]?.string?.hasSuffix(".\(others)") == true,
              "after \(trick.name): \(answer.text)"
            )
          }
          connection.close()
        }
      }
      // All of it was the one node's.
      #expect(try await elsewhere() == before)
    }
  }
}
