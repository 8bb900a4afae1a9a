import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// Pages of a log, over HTTP and over a WebSocket.
  @Suite struct HistoryTests {
    private struct Page {
      let offsets: [UInt64]
      let gap: Gap?
      let next: String?
      let previous: String?
    }

    private func page(_ cluster: Cluster, _ pathAndQuery: String, on node: Int = 0) async throws -> Page {
      let response = try await HTTP.get(cluster.node(node), pathAndQuery)
      #expect(response.status == .ok, "\(response.text)")
      guard case .history(_, _, let messages, _, let gap) = try ServerEvent(parsing: response.body) else {
        throw Shell.Failed(description: "no history: \(response.text)")
      }
      var links: [String: String] = [:]
      for link in response.headers[canonicalForm: "Link"] {
        guard let match = link.firstMatch(of: /<([^>]*)>; *rel="?([a-z]+)"?/) else { continue }
        links[String(match.2)] = String(match.1)
      }
      return Page(
        offsets: messages.map(\.cursor.offset),
        gap: gap,
        next: links["next"],
        previous: links["prev"]
      )
    }

    private func filled(_ cluster: Cluster, _ count: Int) async throws -> (
      path: String, channel: ChannelName, epoch: Epoch
    ) {
      let name = "history:\(UInt32.random(in: .min ... .max))"
      var epoch: Epoch?
      for number in 0..<count {
        let response = try await HTTP.publish(name, "\(number)", to: cluster.node(number % 3))
        epoch = response.object?["cursor"]?.string.flatMap { Cursor($0) }?.epoch
      }
      return ("/v1/channels/\(name)/messages", try #require(ChannelName(name)), try #require(epoch))
    }

    @Test func answersInAscendingOrderWhicheverWayItIsAsked() async throws {
      let cluster = try await ClusterTests.cluster()
      let (path, _, epoch) = try await filled(cluster, 12)
      #expect(try await page(cluster, path).offsets == Array(1...12))
      #expect(try await page(cluster, path + "?limit=5", on: 1).offsets == Array(8...12))
      #expect(try await page(cluster, path + "?since=start&limit=5", on: 2).offsets == Array(1...5))
      #expect(try await page(cluster, path + "?since=\(epoch).4&limit=5").offsets == Array(5...9))
      #expect(try await page(cluster, path + "?before=\(epoch).8&limit=3").offsets == [5, 6, 7])
      #expect(try await page(cluster, path + "?since=\(epoch).12").offsets == [])
      #expect(try await page(cluster, path + "?before=\(epoch).1").offsets == [])
    }

    @Test func pagesLeadFromOneEndToTheOther() async throws {
      let cluster = try await ClusterTests.cluster()
      let (path, _, _) = try await filled(cluster, 12)
      var forward: [UInt64] = []
      var next: String? = path + "?since=start&limit=5"
      for _ in 0..<6 {
        guard let link = next else { break }
        let page = try await page(cluster, link)
        forward += page.offsets
        next = page.offsets.isEmpty ? nil : page.next
      }
      #expect(forward == Array(1...12))
      var backward: [UInt64] = []
      var previous: String? = path + "?limit=5"
      for _ in 0..<6 {
        guard let link = previous else { break }
        let page = try await page(cluster, link)
        backward = page.offsets + backward
        previous = page.offsets.isEmpty ? nil : page.previous
      }
      #expect(backward == Array(1...12))
    }

    @Test func anUnchangedPageIsNotSentAgain() async throws {
      let cluster = try await ClusterTests.cluster()
      let (path, channel, _) = try await filled(cluster, 3)
      let first = try await HTTP.get(cluster.node(0), path)
      let tag = try #require(first.headers.first(name: "ETag"))
      let again = try await HTTP.get(cluster.node(1), path, headers: ["If-None-Match": tag])
      #expect(again.status == .notModified)
      #expect(again.body.readableBytes == 0)
      #expect(try await HTTP.publish(channel.text, "3", to: cluster.node(2)).status == .created)
      let changed = try await HTTP.get(cluster.node(0), path, headers: ["If-None-Match": tag])
      #expect(changed.status == .ok)
      #expect(changed.headers.first(name: "ETag") != tag)
    }

    @Test(arguments: [
      ("limit=0", "bad_request"), ("limit=1001", "bad_request"), ("limit=x", "bad_request"),
      ("since=x", "bad_cursor"), ("before=start", "bad_cursor"),
    ])
    func aMistakeIsAProblem(_ query: String, _ code: String) async throws {
      let cluster = try await ClusterTests.cluster()
      let response = try await HTTP.get(cluster.node(0), "/v1/channels/a/messages?\(query)")
      #expect(response.status == .badRequest)
      #expect(response.problem == code, "\(response.text)")
    }

    @Test func aWebSocketIsAnsweredTheSame() async throws {
      let cluster = try await ClusterTests.cluster()
      let (_, channel, epoch) = try await filled(cluster, 6)
      let socket = try await Socket(to: cluster.node(1))
      let ranges: [(HistoryRange, [UInt64])] = [
        (.newest, [4, 5, 6]), (.since(.start), [1, 2, 3]), (.since(.cursor(Cursor(epoch, 2))), [3, 4, 5]),
        (.before(Cursor(epoch, 3)), [1, 2]),
      ]
      for (id, (range, expected)) in ranges.enumerated() {
        socket.send(Int64(id), .history(channel: channel, range: range, limit: 3))
        let offsets = try await socket.event("history") { event -> [UInt64]? in
          guard case .history(Int64(id), channel, let messages, _, nil) = event else { return nil }
          return messages.map(\.cursor.offset)
        }
        #expect(offsets == expected)
      }
      socket.abort()
    }

    @Test func aLogThatIsAnotherOneSaysSo() async throws {
      let cluster = try await ClusterTests.cluster()
      let (path, _, epoch) = try await filled(cluster, 3)
      let page = try await page(cluster, path + "?since=00000000.1")
      #expect(page.gap == Gap(from: Cursor("00000000.1")!, to: Cursor(epoch, 0), reason: .reset))
      #expect(page.offsets == [1, 2, 3])
    }
  }
}
