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
    /// - Parameter lasting: how many seconds from the page's start each of its tokens lasts.
    private func listening(_ browser: Browser, to node: Endpoint, _ transport: String, _ lasting: [Int?])
      async throws -> Page
    {
      let page = try await browser.open("\(transport)-\(lasting.count)", node, "/healthz")
      var tokens: [String?] = []
      for seconds in lasting {
        guard let seconds else {
          tokens.append(nil)
          continue
        }
        tokens.append(try await DoorKeys.token(lasting: Double(seconds)))
      }
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

    /// Publishes until the pages have asked for so many tokens and some time more, and sees that they heard all.
    private func hearAll(_ pages: [Page], by node: LoneNode, tokens: Int) async throws {
      let room = try #require(ChannelName("room:a"))
      var count = 0
      let deadline = ContinuousClock.now + .seconds(60)
      for page in pages {
        while try await page.evaluate("() => asked", as: Int.self) < tokens {
          try #require(ContinuousClock.now < deadline, "it asked for no more tokens")
          count += 1
          _ = try await HTTP.publish(["\(count)"], toAll: [room], by: node.backends)
        }
      }
      for _ in 0..<20 {
        count += 1
        _ = try await HTTP.publish(["\(count)"], toAll: [room], by: node.backends)
      }
      for page in pages {
        try await eventually("the last message", every: .milliseconds(50)) {
          try await page.evaluate("() => heard.at(-1) ?? 0", as: Int.self) == count
        }
        #expect(try await page.evaluate("() => heard", as: [Int].self) == Array(1...count))
        #expect(try await page.evaluate("() => gaps", as: Int.self) == 0)
      }
    }

    @Test func pagesRenewTheirTokensAndMissNothing() async throws {
      let cluster = try await ClusterTests.cluster()
      try await DoorKeys.withNode { node in
        try await Browser.with(cluster) { browser in
          let renewed = (0..<20).map { 5 + 3 * $0 }
          let renewing = try await ["websocket", "sse", "long-poll"].asyncMap {
            try await listening(browser, to: node.endpoint, $0, renewed)
          }
          // These ask before the first one runs out, in vain, and then are without one.
          let late = try await ["websocket", "sse"].asyncMap {
            try await listening(browser, to: node.endpoint, $0, [5, nil, nil, 600])
          }
          try await hearAll(renewing + late, by: node, tokens: 4)
          // It never was without a connection.
          #expect(try await !renewing[0].evaluate("() => states.includes('waiting')", as: Bool.self))
        }
      }
    }
  }
}

extension Array {
  fileprivate func asyncMap<Other>(_ change: (Element) async throws -> Other) async rethrows -> [Other] {
    var all: [Other] = []
    for element in self { all.append(try await change(element)) }
    return all
  }
}
