import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// `/sluice.js` with a node that asks for tokens.
  @Suite struct PageTokenTests {
    /// Opens a page that subscribes `room:a` over one transport with one token after the other; where one is null, there
    /// is none to be had at that moment.
    private func listening(_ browser: Browser, to node: Endpoint, _ transport: String, _ tokens: [String?])
      async throws -> Page
    {
      let page = try await browser.open("page", node, "/healthz")
      let list = tokens.map { $0.map { "\"\($0)\"" } ?? "null" }.joined(separator: ",")
      try await page.run(
        """
        async (transport) => {
          const { Sluice } = await import("/sluice.js");
          window.heard = [];
          window.gaps = 0;
          window.states = [];
          window.asked = 0;
          const tokens = [\(list)];
          const token = () => {
            const next = tokens[Math.min(asked++, tokens.length - 1)];
            if (!next) throw new Error("no token now");
            return next;
          };
          const pace = { floor: 20, base: 50, ceiling: 200 };
          const sluice = window.sluice = new Sluice(null, { pace, token, transports: [transport] });
          sluice.addEventListener("state", ({ detail }) => states.push(detail.state));
          sluice.subscribe("room:a", (event) => {
            if (event.type === "message") heard.push(event.data);
            if (event.type === "gap") gaps += 1;
          }, { since: "start" });
        }
        """,
        transport
      )
      try await eventually("a connected page", every: .milliseconds(50)) {
        try await page.evaluate("() => sluice.state.state === 'connected'", as: Bool.self)
      }
      return page
    }

    /// Publishes until the page has asked for so many tokens and some time more, and sees that it heard all.
    private func hearsAll(_ page: Page, by node: LoneNode, tokens: Int) async throws {
      let room = try #require(ChannelName("room:a"))
      var count = 0
      let deadline = ContinuousClock.now + .seconds(60)
      while try await page.evaluate("() => asked", as: Int.self) < tokens {
        try #require(ContinuousClock.now < deadline, "it asked for no more tokens")
        count += 1
        _ = try await HTTP.publish(["\(count)"], toAll: [room], by: node.backends)
      }
      for _ in 0..<20 {
        count += 1
        _ = try await HTTP.publish(["\(count)"], toAll: [room], by: node.backends)
      }
      try await eventually("the last message", every: .milliseconds(50)) {
        try await page.evaluate("() => heard.at(-1) ?? 0", as: Int.self) == count
      }
      #expect(try await page.evaluate("() => heard", as: [Int].self) == Array(1...count))
      #expect(try await page.evaluate("() => gaps", as: Int.self) == 0)
    }

    @Test(arguments: ["websocket", "sse", "long-poll"])
    func aPageRenewsItsTokenAndMissesNothing(_ transport: String) async throws {
      let cluster = try await ClusterTests.cluster()
      try await DoorKeys.withNode { node in
        try await Browser.with(cluster) { browser in
          var tokens: [String?] = []
          for index in 0..<20 { tokens.append(try await DoorKeys.token(lasting: Double(5 + 3 * index))) }
          let page = try await listening(browser, to: node.endpoint, transport, tokens)
          try await hearsAll(page, by: node, tokens: 4)
          // It never was without a connection.
          if transport == "websocket" {
            #expect(try await !page.evaluate("() => states.includes('waiting')", as: Bool.self))
          }
        }
      }
    }

    @Test(arguments: ["websocket", "sse"])
    func aPageWhoseTokenRanOutGetsAnotherAndGoesOn(_ transport: String) async throws {
      let cluster = try await ClusterTests.cluster()
      try await DoorKeys.withNode { node in
        try await Browser.with(cluster) { browser in
          let first = try await DoorKeys.token(lasting: 5)
          let last = try await DoorKeys.token(lasting: 600)
          // It asks before the first one runs out, in vain.
          let page = try await listening(browser, to: node.endpoint, transport, [first, nil, nil, last])
          try await hearsAll(page, by: node, tokens: 4)
        }
      }
    }
  }
}
