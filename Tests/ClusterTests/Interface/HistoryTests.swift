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
      let cursor: Cursor?
      let gap: Gap?
      let next: String?
      let previous: String?
    }

    private func page(_ cluster: Cluster, _ pathAndQuery: String, on node: Int = 0) async throws -> Page {
      let response = try await HTTP.get(cluster.node(node), pathAndQuery)
      #expect(response.status == .ok, "\(response.text)")
      guard case .history(_, _, let messages, let cursor, let gap) = try ServerEvent(parsing: response.body)
      else {
        throw Shell.Failed(description: "no history: \(response.text)")
      }
      var links: [String: String] = [:]
      for link in response.headers[canonicalForm: "Link"] {
        guard let match = link.firstMatch(of: /<([^>]*)>; *rel="?([a-z]+)"?/) else { continue }
        links[String(match.2)] = String(match.1)
      }
      return Page(
        offsets: messages.map(\.cursor.offset),
        cursor: cursor,
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

    @Test func aPageThatIsNoLongerTheLastIsSentAgain() async throws {
      let cluster = try await ClusterTests.cluster()
      let (path, channel, epoch) = try await filled(cluster, 2)
      let query = path + "?since=start&limit=2"
      let last = try await HTTP.get(cluster.node(0), query)
      #expect(!last.headers.contains(name: "Link"))
      let tag = try #require(last.headers.first(name: "ETag"))
      #expect(try await HTTP.publish(channel.text, "2", to: cluster.node(2)).status == .created)
      let first = try await HTTP.get(cluster.node(1), query, headers: ["If-None-Match": tag])
      #expect(first.status == .ok)
      #expect(first.body == last.body)
      let link = "<\(path)?since=\(epoch).2&limit=2>; rel=\"next\""
      #expect(first.headers["Link"] == [link])
      let other = try #require(first.headers.first(name: "ETag"))
      #expect(other != tag)
      let again = try await HTTP.get(cluster.node(0), query, headers: ["If-None-Match": other])
      #expect(again.status == .notModified)
      #expect(again.headers["Link"] == [link])
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

    @Test func beforeACursorThatIsNoPlaceInTheLogIsTheNewest() async throws {
      let cluster = try await ClusterTests.cluster()
      let (path, channel, epoch) = try await filled(cluster, 6)
      let beyond = try await page(cluster, path + "?before=\(epoch).100&limit=4")
      #expect(beyond.offsets == [3, 4, 5, 6])
      #expect(beyond.cursor == Cursor(epoch, 6) && beyond.gap == nil)
      #expect(beyond.next == nil && beyond.previous == "\(path)?before=\(epoch).3&limit=4")
      let stranger = Cursor("zzzzzzzz.3")!
      let gap = Gap(from: stranger, to: Cursor(epoch, 4), reason: .reset)
      let other = try await page(cluster, path + "?before=\(stranger)&limit=2", on: 1)
      #expect(other.offsets == [5, 6])
      #expect(other.cursor == Cursor(epoch, 6) && other.gap == gap)
      let nothing = try await page(cluster, path + "?before=\(epoch).1", on: 2)
      #expect(nothing.offsets == [] && nothing.gap == nil)
      #expect(nothing.cursor == Cursor(epoch, 0), "a stream would miss the first")
      let socket = try await Socket(to: cluster.node(2))
      socket.send(1, .history(channel: channel, range: .before(stranger), limit: 2))
      let offsets = try await socket.event("history") { event -> [UInt64]? in
        guard case .history(1, channel, let messages, Cursor(epoch, 6), gap) = event else { return nil }
        return messages.map(\.cursor.offset)
      }
      #expect(offsets == [5, 6])
      socket.abort()
    }

    @Test func aLogThatIsGoneSaysSo() async throws {
      let cluster = try await ClusterTests.cluster()
      let asked = Cursor("aaaaaaaa.5")!
      for query in ["since", "before"] {
        let name = "history:\(UInt32.random(in: .min ... .max))"
        let path = "/v1/channels/\(name)/messages"
        #expect(try await HTTP.get(cluster.node(0), path).object?["cursor"] == nil)
        let gone = try await page(cluster, "\(path)?\(query)=\(asked)", on: 1)
        let start = try #require(gone.cursor)
        #expect(start.offset == 0 && gone.offsets == [])
        #expect(gone.gap == Gap(from: asked, to: start, reason: .reset))
        // From there on nothing is missing.
        #expect(try await HTTP.publish(name, "1", to: cluster.node(2)).status == .created)
        let page = try await page(cluster, "\(path)?since=\(start)")
        #expect(page.offsets == [1] && page.gap == nil)
        #expect(page.cursor == Cursor(start.epoch, 1))
      }
      let channel = try #require(ChannelName("history:\(UInt32.random(in: .min ... .max))"))
      let socket = try await Socket(to: cluster.node(0))
      socket.send(1, .history(channel: channel, range: .since(.cursor(asked)), limit: nil))
      let (cursor, gap) = try await socket.event("history") { event -> (Cursor?, Gap?)? in
        guard case .history(1, channel, [], let cursor, let gap) = event else { return nil }
        return (cursor, gap)
      }
      let start = try #require(cursor)
      #expect(start.offset == 0 && gap == Gap(from: asked, to: start, reason: .reset))
      socket.abort()
    }

    /// It makes a name that the cluster keeps, as a subscribe does.
    @Test func whoAsksForManyLogsThatAreGoneIsRefused() async throws {
      try await LoneNode.run(["--event-loops", "1", "--subscribes-per-address", "1"]) { node in
        #expect(try await HTTP.publish("history:held", "1", to: node.endpoint).status == .created)
        var refused: HTTPResponse?
        for number in 0..<30 where refused == nil {
          let path = "/v1/channels/history:\(number)/messages?since=aaaaaaaa.5"
          let answer = try await HTTP.get(node.endpoint, path)
          if answer.status != .ok { refused = answer }
        }
        let answer = try #require(refused)
        #expect(answer.status == .tooManyRequests && answer.problem == "rate_limited", "\(answer.text)")
        #expect(answer.headers.contains(name: "Retry-After"))
        for query in ["history:held/messages?since=aaaaaaaa.5", "history:none/messages"] {
          #expect(try await HTTP.get(node.endpoint, "/v1/channels/\(query)").status == .ok)
        }
      }
    }
  }
}
