import LoadTesting
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension Cluster {
  /// Drains a node, quickly, as an operator does.
  func drain(_ node: String) async throws {
    let index = try #require(Cluster.nodeNames.firstIndex(of: node))
    let request = HTTPRequest(
      .POST,
      "/v1/nodes/\(node)/drain",
      headers: ["Content-Type": "application/json"],
      body: ByteBuffer(string: #"{"over_seconds":1}"#)
    )
    #expect(try await HTTP.send(request, to: operating(index)).status == .ok)
  }

  func undrain(_ node: String) async throws {
    let index = try #require(Cluster.nodeNames.firstIndex(of: node))
    let request = HTTPRequest(.DELETE, "/v1/nodes/\(node)/drain")
    #expect(try await HTTP.send(request, to: operating(index)).status == .ok)
  }
}

/// What a page that listens to one channel has on its list: the journal of `sluice.js`, or of a native `EventSource`.
struct Listener: Sendable {
  /// The list so far.
  struct List: Decodable {
    struct Item: Decodable, Equatable {
      let cursor: String
      let number: Int
    }

    let items: [Item]
    let gaps: [String]
    let transport: String?
    let node: String?
    /// Each transport that was connected, in turn.
    let transports: [String]
    let nodes: [String]
    let errors: [String]
  }

  let page: Page
  let channel: ChannelName

  /// Loads `/sluice.js` and subscribes from the start.
  /// - Parameter options: of `new Sluice`, in JavaScript.
  static func sluice(_ page: Page, _ channel: ChannelName, options: String = "{}") async throws -> Listener {
    try await page.run(
      """
      async (channel) => {
        const { Sluice } = await import("/sluice.js");
        const list = window.list = { items: [], gaps: [], transports: [], nodes: [], errors: [] };
        const pace = { floor: 20, base: 50, ceiling: 400, climb: 400, climbMost: 800, proof: 300, patience: 4000, pollWait: 5 };
        const sluice = window.sluice = new Sluice(null, { pace, ...(\(options)) });
        sluice.addEventListener("state", ({ detail }) => {
          list.transport = detail.state === "connected" ? detail.transport : undefined;
          list.node = detail.node;
          if (detail.state === "connected" && list.transports.at(-1) !== detail.transport) list.transports.push(detail.transport);
          if (detail.node && list.nodes.at(-1) !== detail.node) list.nodes.push(detail.node);
          if (detail.state === "closed") list.errors.push(detail.reason);
        });
        window.subscription = sluice.subscribe(channel, (event) => {
          if (event.type === "message") list.items.push({ cursor: event.cursor, number: event.data.number });
          if (event.type === "gap") list.gaps.push(`${event.from} to ${event.to}: ${event.reason}`);
          if (event.type === "error") list.errors.push(event.message);
        }, { since: "start" });
      }
      """,
      channel.text
    )
    return Listener(page: page, channel: channel)
  }

  /// A native `EventSource`, from the start.
  static func eventSource(_ page: Page, _ channel: ChannelName) async throws -> Listener {
    try await page.run(
      """
      async (channel) => {
        const list = window.list = { items: [], gaps: [], transports: [], nodes: [], errors: [] };
        const source = window.source = new EventSource(`/v1/stream?channels=${channel}&since=start`);
        source.addEventListener("welcome", ({ data }) => {
          list.transport = "sse";
          list.transports.push("sse");
          list.nodes.push(list.node = JSON.parse(data).node);
        });
        source.addEventListener("gap", ({ data }) => list.gaps.push(data));
        source.onerror = () => {
          list.transport = undefined;
          if (source.readyState === EventSource.CLOSED) list.errors.push("closed for good");
        };
        source.onmessage = ({ data }) => {
          const event = JSON.parse(data);
          list.items.push({ cursor: event.cursor, number: event.data.number });
        };
      }
      """,
      channel.text
    )
    return Listener(page: page, channel: channel)
  }

  var list: List {
    get async throws { try await page.evaluate("window.list") }
  }

  /// Waits until it is connected by a transport, and has got something by it.
  func isConnected(
    by transport: String,
    within limit: Duration = .seconds(20),
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    var before: Int?
    try await eventually(
      "messages by \(transport)",
      within: limit,
      every: .milliseconds(50),
      sourceLocation: sourceLocation
    ) {
      let list = try await self.list
      #expect(list.errors == [], sourceLocation: sourceLocation)
      guard list.transport == transport else { return false }
      before = before ?? list.items.count
      return list.items.count > before!
    }
  }

  /// The node that serves it now.
  func node() async throws -> String {
    try await eventually("a connection that tells its node", every: .milliseconds(50)) {
      let list = try await self.list
      return list.transport == nil ? nil : list.node
    }
  }

  /// Waits until another node serves it.
  func isElsewhere(than node: String) async throws {
    try await eventually("another node than \(node)", every: .milliseconds(50)) {
      let list = try await self.list
      return list.transport != nil && list.node.map { $0 != node } ?? false
    }
  }

  /// Waits for the end of the list, and holds it against what was published: no hole, no repeat.
  func hasAll(of ledger: Ledger, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let tail = try #require(ledger.tails[channel])
    try await eventually("the last message", every: .milliseconds(50), sourceLocation: sourceLocation) {
      try await self.list.items.last?.cursor == tail.description
    }
    let list = try await self.list
    let published = ledger.all.filter { $0.channel == channel }.sorted { $0.cursor.offset < $1.cursor.offset }
    #expect(ledger.failures == [], sourceLocation: sourceLocation)
    #expect(list.gaps == [], sourceLocation: sourceLocation)
    #expect(list.errors == [], sourceLocation: sourceLocation)
    #expect(
      Set(list.items.map(\.number)).count == list.items.count,
      "a repeat",
      sourceLocation: sourceLocation
    )
    #expect(
      list.items.map(\.cursor) == published.map(\.cursor.description),
      "the list has \(list.items.count) messages, the log \(published.count)",
      sourceLocation: sourceLocation
    )
  }
}
