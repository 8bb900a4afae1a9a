import NIOHTTP1
import SluiceClient
import Testing

extension ClusterTests {
  /// The demo pages in Chromium, as people use them.
  @Suite struct PageTests {
    private func room() -> String { "room:page-\(UInt32.random(in: .min ... .max))" }

    /// Waits until one of the texts that a selector finds holds `text`.
    private func sees(
      _ page: Page,
      _ text: String,
      in selector: String,
      sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
      try await eventually(
        "“\(text)” in \(selector) of \(page.name)",
        every: .milliseconds(50),
        sourceLocation: sourceLocation
      ) {
        try await page.texts(selector).contains { $0.contains(text) }
      }
    }

    private func isLive(_ page: Page, by transport: String = "live by") async throws {
      try await sees(page, transport, in: "#state")
    }

    @Test func twoWindowsChatAndSeeWhoIsThereTypesAndHasRead() async throws {
      let cluster = try await ClusterTests.cluster()
      let path = "/?channel=\(room())"
      try await Browser.with(cluster) { browser in
        let ada = try await browser.open("ada", cluster.nginx, path)
        let bob = try await browser.open("bob", cluster.nginx, path, view: .phone)
        for page in [ada, bob] {
          try await isLive(page, by: "live by WebSocket on gateway-")
          try await eventually("two members", every: .milliseconds(50)) {
            try await page.texts("#members li").count == 2
          }
        }

        // Only keys: the field has the focus from the beginning.
        try await ada.type("hello ")
        try await sees(bob, "is typing", in: "#typing")
        try await ada.type("bob")
        try await ada.press("Enter")
        for page in [ada, bob] { try await sees(page, "hello bob", in: ".bubble") }
        try await eventually("the end of typing", every: .milliseconds(50)) {
          try await bob.text("#typing").isEmpty
        }
        try await sees(ada, "Seen by", in: ".message.own .seen")
        let own = try await ada.texts(".message.own .bubble")
        #expect(own == ["hello bob"])
        #expect(try await bob.texts(".message.own .bubble") == [])

        try await bob.click("#text")
        try await bob.type("hello ada")
        try await bob.click("#composer button")
        for page in [ada, bob] {
          try await sees(page, "hello ada", in: ".bubble")
          #expect(try await page.texts(".bubble") == ["hello bob", "hello ada"])
        }

        // A reload is the same member, with all that was said.
        let name = try await ada.text("#members li")
        try await ada.reload()
        try await isLive(ada)
        try await sees(ada, "hello ada", in: ".bubble")
        try await eventually("the same member", every: .milliseconds(50)) {
          try await ada.text("#members li").hasPrefix(String(name.prefix(9)))
        }

        #expect(try await ada.problems() == [])
        #expect(try await bob.problems() == [])
        try await bob.close()
        try await sees(ada, "has left", in: "#log .notice")
        try await eventually("one member", every: .milliseconds(50)) {
          try await ada.texts("#members li").count == 1
        }
      }
    }

    @Test func theChatGoesOnWhileItsNodeIsKilled() async throws {
      let cluster = try await ClusterTests.cluster()
      try await Browser.with(cluster) { browser in
        let page = try await browser.open("page", cluster.nginx, "/?channel=\(room())")
        try await isLive(page, by: "on gateway-")
        let state = try await page.text("#state")
        let node = try #require(Cluster.nodeNames.first { state.contains($0) })
        try await page.type("before")
        try await page.press("Enter")
        // What is not answered yet is said again, and may come behind what is said later.
        try await sees(page, "before", in: ".message.own:not(.waiting) .bubble")
        try await cluster.kill9(node)
        try await page.type("meanwhile")
        try await page.press("Enter")
        try await sees(page, "meanwhile", in: ".message.own:not(.waiting) .bubble")
        try await sees(page, "You are now served by", in: ".notice")
        #expect(try await page.texts(".message:not(.waiting) .bubble") == ["before", "meanwhile"])
      }
      try await cluster.up()
    }

    @Test func thePagesAreUsedByKeyboardAlone() async throws {
      let cluster = try await ClusterTests.cluster()
      try await Browser.with(cluster) { browser in
        for path in ["/?channel=\(room())", "/prices", "/lab?channel=\(room())"] {
          let page = try await browser.open(path, cluster.nginx, path)
          try await isLive(page)
          // Everything that can be used is reached by the tabulator, is named, and shows that it has the focus.
          let wanted: Int = try await page.evaluate(
            """
            () => { document.activeElement?.blur(); window.scrollTo(0, 0);
              return [...document.querySelectorAll("a[href], button, input, [tabindex='0']")]
                .filter((element) => element.checkVisibility()).length }
            """
          )
          #expect(wanted >= 4)
          var reached: Set<String> = []
          for _ in 0..<(wanted + 2) {
            try await page.press("Tab")
            let found: String = try await page.evaluate(
              """
              () => {
                const element = document.activeElement;
                if (!element || element === document.body) return "";
                const all = [...document.querySelectorAll("a[href], button, input, [tabindex='0']")];
                const name = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent;
                const isShown = getComputedStyle(element).outlineStyle !== "none";
                return `${all.indexOf(element)} ${name.trim() ? "named" : "nameless"} ${isShown ? "shown" : "unseen"}`;
              }
              """
            )
            if !found.isEmpty { reached.insert(found) }
          }
          #expect(reached.count == wanted, "\(path): \(reached.sorted()) of \(wanted)")
          #expect(reached.allSatisfy { $0.hasSuffix("named shown") }, "\(path): \(reached)")
        }
      }
    }

    @Test(arguments: [false, true])
    func nothingIsWiderThanAPhone(_ isDark: Bool) async throws {
      let cluster = try await ClusterTests.cluster()
      var phone = Page.View.phone
      phone.isDark = isDark
      try await Browser.with(cluster) { browser in
        for path in ["/", "/prices", "/lab"] {
          let page = try await browser.open(path, cluster.nginx, path, view: phone)
          try await isLive(page)
          let width: Int = try await page.evaluate("document.documentElement.scrollWidth")
          #expect(width <= phone.width, "\(path) is \(width) wide")
          let background: String = try await page.evaluate("getComputedStyle(document.body).backgroundColor")
          #expect((background == "rgb(16, 21, 27)") == isDark)
          #expect(try await page.problems() == [])
        }
      }
    }

    @Test func thePriceBoardShowsWhatTheMarketNames() async throws {
      let cluster = try await ClusterTests.cluster()
      try await Browser.with(cluster) { browser in
        let board = try await browser.open("board", cluster.nginx, "/prices")
        try await isLive(board, by: "live by server-sent events")
        #expect(
          try await HTTP.publish("price:copper", #"{"price":123.45}"#, to: cluster.nginx).status == .created
        )
        try await sees(board, "123.45", in: "#board .price")

        let market = try await browser.open("market", cluster.nginx, "/prices")
        try await isLive(market)
        // Who comes later sees the newest at once.
        try await sees(market, "123.45", in: "#board .price")
        try await market.click("#market")
        try await eventually("every price on the board", every: .milliseconds(50)) {
          try await board.texts("#board .price").allSatisfy { $0 != "–" }
        }
        try await eventually("a line for each", every: .milliseconds(50)) {
          let points: [String] = try await board.evaluate(
            "[...document.querySelectorAll('#board polyline')].map((line) => line.getAttribute('points'))"
          )
          return points.allSatisfy { $0.split(separator: " ").count > 1 }
        }
        try await market.click("#market")
        #expect(try await market.text("#market") == "Be the market")
        #expect(try await board.problems() == [])
        #expect(try await market.problems() == [])
      }
    }

    @Test func theLabShowsItsTransportCutsAndResumes() async throws {
      let cluster = try await ClusterTests.cluster()
      try await Browser.with(cluster) { browser in
        let lab = try await browser.open("lab", cluster.nginx, "/lab?channel=\(room())")
        try await isLive(lab, by: "live by WebSocket")
        try await lab.click("#stream")
        for (value, name) in [
          ("websocket", "server-sent events"), ("sse", "long polls"), ("long-poll", "short polls"),
        ] {
          try await lab.click("#transports input[value=\(value)]")
          try await isLive(lab, by: "live by \(name)")
          let before = try #require(Int(try await lab.text("#received")))
          try await eventually("messages by \(name)", every: .milliseconds(50)) {
            try #require(Int(try await lab.text("#received"))) > before + 3
          }
        }
        for value in ["long-poll", "sse", "websocket"] {
          try await lab.click("#transports input[value=\(value)]")
        }
        try await isLive(lab, by: "live by WebSocket")
        try await lab.click("#cut")
        try await sees(lab, "Cut by you", in: "#events li")
        try await isLive(lab, by: "live by WebSocket")
        try await lab.click("#stream")
        try await sees(lab, "Each message once and in order", in: "#verdict")
        #expect(try await lab.text("#holes") == "0")
        #expect(try await lab.text("#repeats") == "0")
        #expect(try await lab.text("#gaps") == "0")
        #expect(try await lab.text("#median").hasSuffix("s"))
        #expect(
          try await lab.evaluate("document.querySelectorAll('#latencies rect').length", as: Int.self) > 10
        )
        try await lab.click("#lose")
        try await sees(lab, "reset", in: "#events li")
        #expect(try await lab.text("#gaps") == "1")
        #expect(try await lab.problems() == [])
      }
    }
  }
}
