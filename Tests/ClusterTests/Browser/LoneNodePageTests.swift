import NIOHTTP1
import SluiceClient
import Testing

#if canImport(Glibc)
  import Glibc
#endif

extension ClusterTests {
  /// `/sluice.js` with one node of a special kind, without nginx.
  @Suite struct LoneNodePageTests {
    private func withNode(
      _ options: [String],
      _ body: (Endpoint, ChildProcess, Browser) async throws -> Void
    ) async throws {
      let cluster = try await ClusterTests.cluster()
      let ports = try FreePorts.pick(2)
      let node = Endpoint(host: "127.0.0.1", port: ports[0])
      let process = try ChildProcess(
        [
          cluster.binary, "serve", "--listen", "127.0.0.1:\(ports[0])", "--operator-listen",
          "127.0.0.1:\(ports[1])",
        ] + options,
        output: "\(cluster.directory)/logs/lone.log"
      )
      let outcome: Result<Void, any Error>
      do {
        try await eventually("a ready node") { (try? await HTTP.get(node, "/readyz"))?.status == .ok }
        try await Browser.with(cluster) { try await body(node, process, $0) }
        outcome = .success(())
      } catch {
        outcome = .failure(error)
      }
      if process.exitStatus == nil { kill(process.pid, SIGKILL) }
      _ = try await process.exit(within: .seconds(20))
      try outcome.get()
    }

    /// Opens a page that subscribes `channels` and writes down what it hears.
    private func listening(_ browser: Browser, to node: Endpoint, _ options: String, channels: String)
      async throws -> Page
    {
      let page = try await browser.open("page", node, "/healthz")
      try await page.run(
        """
        async () => {
          const { Sluice } = await import("/sluice.js");
          window.heard = [];
          window.states = [];
          const pace = { floor: 20, base: 50, ceiling: 200, climb: 200, climbMost: 200, proof: 300 };
          const sluice = window.sluice = new Sluice(null, { pace, ...(\(options)) });
          sluice.addEventListener("state", ({ detail }) => states.push(`${detail.state} ${detail.transport ?? ""}`.trim()));
          for (const channel of \(channels)) {
            sluice.subscribe(channel, (event) => heard.push(`${event.type} ${channel} ${event.data ?? ""}`.trim()));
          }
        }
        """
      )
      return page
    }

    private func hears(
      _ page: Page,
      _ what: String,
      within limit: Duration = .seconds(20),
      sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
      try await eventually(what, within: limit, every: .milliseconds(50), sourceLocation: sourceLocation) {
        try await page.evaluate("(what) => heard.includes(what)", what, as: Bool.self)
      }
    }

    @Test func whatIsSwitchedOffIsNotAskedForAgain() async throws {
      try await withNode(["--transports", "long-poll,short-poll,rest"]) { node, _, browser in
        let page = try await listening(browser, to: node, "{}", channels: #"["room:off"]"#)
        try await hears(page, "subscribed room:off")
        #expect(try await HTTP.publish("room:off", "1", to: node).status == .created)
        try await hears(page, "message room:off 1")
        // Time to climb ten times in vain.
        let before = try await page.problems()
        try await Task.sleep(for: .seconds(2))
        #expect(try await page.problems() == before)
        #expect(before.count { $0.contains("/v1/socket") } <= 4, "\(before)")
        let streams: Int = try await page.evaluate(
          "performance.getEntriesByType('resource').filter(({ name }) => name.includes('/v1/stream')).length"
        )
        #expect(streams == 1)
        let states: [String] = try await page.evaluate("() => states")
        #expect(states.filter { $0.hasPrefix("connected") } == ["connected long-poll"], "\(states)")
      }
    }

    @Test(arguments: ["websocket", "sse"])
    func aNodeThatFallsSilentIsGivenUp(_ transport: String) async throws {
      try await withNode(["--heartbeat", "1s", "--stream-comment", "1s"]) { node, process, browser in
        let page = try await listening(
          browser,
          to: node,
          #"{ transports: ["\#(transport)"] }"#,
          channels: #"["room:silent"]"#
        )
        try await hears(page, "subscribed room:silent")
        // Quiet is not silent.
        try await Task.sleep(for: .seconds(4))
        #expect(try await page.evaluate("() => states.length", as: Int.self) == 2)
        kill(process.pid, SIGSTOP)
        try await eventually("a connection that is given up", every: .milliseconds(50)) {
          try await page.evaluate("() => states.some((state) => state.startsWith('waiting'))", as: Bool.self)
        }
        kill(process.pid, SIGCONT)
        try await eventually("another", every: .milliseconds(50)) {
          try await page.evaluate("() => sluice.state.state === 'connected'", as: Bool.self)
        }
        #expect(try await HTTP.publish("room:silent", "1", to: node).status == .created)
        try await hears(page, "message room:silent 1")
      }
    }

    /// What its `error` says passes, and is no fault of the transport.
    @Test func aStreamThatFindsNoRoomComesBack() async throws {
      try await withNode(["--event-loops", "1", "--subscribes-per-address", "10"]) { node, _, browser in
        let page = try await browser.open("page", node, "/healthz")
        // More than may come at once, which takes a second to make up for.
        let names = (0..<60).map { "room:first-\($0)" }.joined(separator: ",")
        #expect(try await HTTP.poll(node, names, "wait=0").status == .ok)
        try await page.run(
          """
          async () => {
            const { Sluice } = await import("/sluice.js");
            window.states = [];
            const sluice = window.sluice = new Sluice(null, { transports: ["sse", "long-poll"] });
            sluice.addEventListener("state", ({ detail: { state, transport, reason } }) => {
              states.push([state, transport, reason].filter(Boolean).join(" "));
            });
            sluice.subscribe("room:crowded", () => {});
          }
          """
        )
        try await eventually("a stream", every: .milliseconds(50)) {
          try await page.evaluate("() => sluice.state.state === 'connected'", as: Bool.self)
        }
        let states: [String] = try await page.evaluate("() => states")
        #expect(states.contains("waiting sse too many new channels of one address"), "\(states)")
        #expect(states.allSatisfy { $0.contains(" sse") }, "\(states)")
      }
    }

    @Test(arguments: ["websocket", "sse", "long-poll"])
    func aHundredAndFiftyChannels(_ transport: String) async throws {
      try await withNode(["--log-level", "error"]) { node, _, browser in
        let page = try await listening(
          browser,
          to: node,
          #"{ transports: ["\#(transport)"] }"#,
          channels: "Array.from({ length: 150 }, (_, n) => `room:many-${n}`)"
        )
        try await eventually("150 channels", every: .milliseconds(50)) {
          try await page.evaluate(
            "() => heard.filter((line) => line.startsWith('subscribed')).length === 150",
            as: Bool.self
          )
        }
        for number in [0, 99, 100, 149] {
          #expect(try await HTTP.publish("room:many-\(number)", "1", to: node).status == .created)
          try await hears(page, "message room:many-\(number) 1")
        }
      }
    }

    /// Without namespaces of their own, the pages' channels are plain logs, and the pages do all the same.
    @Test func thePagesDoWithoutNamespacesToo() async throws {
      try await withNode([]) { node, _, browser in
        let chat = try await browser.open("chat", node, "/?channel=room:alone")
        let other = try await browser.open("other", node, "/?channel=room:alone")
        let prices = try await browser.open("prices", node, "/prices")
        for page in [chat, other, prices] {
          try await eventually("a live page", every: .milliseconds(50)) {
            try await page.text("#state").contains("live")
          }
        }
        try await chat.click("#text")
        try await chat.type("alone")
        try await eventually("a sign of typing", every: .milliseconds(50)) {
          try await other.text("#typing").contains("typing")
        }
        try await chat.press("Enter")
        try await eventually("a message", every: .milliseconds(50)) {
          try await other.texts(".bubble") == ["alone"]
        }
        try await prices.click("#market")
        try await eventually("every price", every: .milliseconds(50)) {
          try await prices.texts("#board .price").allSatisfy { $0 != "–" }
        }
        for page in [chat, other, prices] { #expect(try await page.problems() == []) }
      }
    }
  }
}
