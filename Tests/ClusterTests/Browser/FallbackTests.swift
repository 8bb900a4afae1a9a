import LoadTesting
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// `/sluice.js` in Chromium, through a proxy that lets ever less through, and nginx.
  @Suite struct FallbackTests {
    private func channel(_ name: String) throws -> ChannelName {
      try #require(ChannelName("room:\(name)-\(UInt32.random(in: .min ... .max))"))
    }

    /// A page that listens through a proxy, while messages come.
    private func listening(
      to channel: ChannelName,
      options: String = "{}",
      _ body: (Cluster, Proxy, Listener, Workload) async throws -> Void
    ) async throws {
      let cluster = try await ClusterTests.cluster()
      try await Proxy.with(cluster) { proxy in
        try await Browser.with(cluster) { browser in
          let workload = try await Workload(to: [cluster.nginx], [channel], rate: 100)
          let page = try await browser.open("page", proxy.endpoint, "/healthz")
          let listener = try await Listener.sluice(page, channel, options: options)
          let outcome: Result<Void, any Error>
          do {
            outcome = .success(try await body(cluster, proxy, listener, workload))
          } catch {
            outcome = .failure(error)
            print("the list at the failure: \(String(describing: try? await listener.list))")
          }
          try await workload.finish()
          try outcome.get()
          try await listener.hasAll(of: workload.ledger)
        }
      }
    }

    @Test func whatIsBlockedIsGoneRoundAndComeBackTo() async throws {
      try await listening(to: try channel("blocked")) { _, proxy, listener, _ in
        try await listener.isConnected(by: "websocket")
        try await proxy.block([.webSockets])
        try await listener.isConnected(by: "sse")
        try await proxy.block([.webSockets, .eventStreams])
        try await listener.isConnected(by: "long-poll")
        try await proxy.block([.webSockets, .eventStreams, .heldPolls])
        try await listener.isConnected(by: "short-poll")
        try await proxy.block([])
        try await listener.isConnected(by: "websocket")
      }
    }

    /// The same, while nodes die and are drained under each transport.
    @Test func nodesComeAndGoMeanwhile() async throws {
      try await listening(to: try channel("faults")) { cluster, proxy, listener, _ in
        try await listener.isConnected(by: "websocket")
        let first = try await listener.node()
        try await cluster.drain(first)
        try await listener.isElsewhere(than: first)
        try await listener.isConnected(by: "websocket")

        try await proxy.block([.webSockets])
        try await listener.isConnected(by: "sse")
        let second = try await listener.node()
        try await cluster.kill9(second)
        try await listener.isElsewhere(than: second)
        try await listener.isConnected(by: "sse")
        try await cluster.undrain(first)

        try await proxy.block([.webSockets, .eventStreams])
        try await listener.isConnected(by: "long-poll")
        let third = try #require(Cluster.nodeNames.first { $0 != first && $0 != second })
        try await cluster.kill9(third)
        try await listener.isConnected(by: "long-poll")
        try await cluster.up()
        try await proxy.block([])
        try await listener.isConnected(by: "websocket")
      }
    }

    /// Each change overlaps: the old connection goes on until the new one is subscribed.
    @Test func itChangesTransportAllTheTime() async throws {
      try await listening(to: try channel("changing")) { _, _, listener, _ in
        try await listener.isConnected(by: "websocket")
        for number in 1...32 {
          let transport = ["websocket", "sse", "long-poll", "short-poll"].randomElement()!
          try await listener.page.run(
            #"(transport) => { sluice.transports = [transport] }"#,
            transport
          )
          if number.isMultiple(of: 8) { try await listener.page.run("() => sluice.reconnect()") }
          try await eventually("a connection by \(transport)", every: .milliseconds(10)) {
            try await listener.list.transport == transport
          }
        }
      }
    }

    /// What a transport does alone: from the start of a log that is there already, and after a cut.
    @Test(arguments: ["websocket", "sse", "long-poll", "short-poll"])
    func everyTransportDoesAlone(_ transport: String) async throws {
      try await listening(to: try channel("alone"), options: #"{ transports: ["\#(transport)"] }"#) {
        _,
        _,
        listener,
        workload in
        try await eventually("a log") { workload.ledger.count > 20 }
        try await listener.isConnected(by: transport)
        for _ in 0..<3 {
          try await listener.page.run("() => sluice.reconnect()")
          try await listener.isConnected(by: transport)
        }
        // What the page itself publishes comes back to it by the same way, once.
        let mine: String = try await listener.page.evaluate(
          "async (channel) => (await sluice.publish(channel, { number: -1 })).cursor",
          listener.channel.text
        )
        let cursor = try #require(Cursor(mine))
        workload.ledger.acknowledged(listener.channel, cursor, ByteBuffer(string: #"{"number":-1}"#))
        try await eventually("its own message", every: .milliseconds(50)) {
          try await listener.list.items.contains { $0.cursor == mine }
        }
      }
    }

    /// A page of channels that come and go, with and without presence, in two windows.
    @Test(arguments: ["websocket", "sse", "long-poll", "short-poll"])
    func channelsAndPresenceOverEveryTransport(_ transport: String) async throws {
      let cluster = try await ClusterTests.cluster()
      let room = try channel("present").text
      try await Browser.with(cluster) { browser in
        let here = try await browser.open("here", cluster.nginx, "/healthz")
        try await here.run(
          """
          async (room) => {
            const { Sluice } = await import("/sluice.js");
            window.heard = [];
            const sluice = window.sluice = new Sluice(null, { transports: ["\(transport)"] });
            const hear = (event) => heard.push(`${event.type} ${event.channel} ${event.data ?? ""}`.trim());
            window.first = sluice.subscribe(room, hear, { presence: "join" });
            sluice.subscribe("typing:x", () => { throw new Error("of the page's own"); });
            window.add = (name) => { window.second = sluice.subscribe(name, hear); };
          }
          """,
          room
        )
        try await eventually("a member", every: .milliseconds(50)) {
          try await here.evaluate(
            "async (room) => { const page = await sluice.presence(room); return page.members.some(({ member }) => member === sluice.member) }",
            room,
            as: Bool.self
          )
        }
        let other = "\(room)-2"
        try await here.run("(name) => add(name)", other)
        try await eventually("a second channel", every: .milliseconds(50)) {
          try await here.evaluate("() => heard", as: [String].self).contains("subscribed \(other)")
        }
        for channel in [room, other] {
          #expect(try await HTTP.publish(channel, "1", to: cluster.nginx).status == .created)
        }
        try await eventually("both messages", every: .milliseconds(50)) {
          let heard = try await here.evaluate("() => heard", as: [String].self)
          return heard.contains("message \(room) 1") && heard.contains("message \(other) 1")
        }
        try await here.run("() => second.unsubscribe()")
        try await eventually("an end of the second channel", every: .milliseconds(50)) {
          try await here.evaluate("() => sluice.state.state === 'connected'", as: Bool.self)
        }
        #expect(try await HTTP.publish(other, "2", to: cluster.nginx).status == .created)
        #expect(try await HTTP.publish(room, "2", to: cluster.nginx).status == .created)
        try await eventually("the next message", every: .milliseconds(50)) {
          try await here.evaluate("() => heard", as: [String].self).contains("message \(room) 2")
        }
        let heard = try await here.evaluate("() => heard", as: [String].self)
        #expect(!heard.contains("message \(other) 2"))
        #expect(heard.count { $0 == "message \(room) 1" } == 1)
        #expect(try await HTTP.publish("typing:x", "1", to: cluster.nginx).status == .created)
        try await here.run("() => first.unsubscribe()")
        try await eventually("nobody", every: .milliseconds(100)) {
          try await here.evaluate("async (room) => (await sluice.presence(room)).count", room, as: Int.self)
            == 0
        }
      }
    }

    @Test func itGoesOnAfterAReloadWhereItWas() async throws {
      let cluster = try await ClusterTests.cluster()
      let channel = try channel("kept")
      try await Browser.with(cluster) { browser in
        let page = try await browser.open("page", cluster.nginx, "/healthz")
        let options = "{ storage: sessionStorage }"
        let before = try await Listener.sluice(page, channel, options: options)
        for number in 0..<3 {
          #expect(
            try await HTTP.publish(channel.text, #"{"number":\#(number)}"#, to: cluster.nginx).status
              == .created
          )
        }
        try await eventually("three messages", every: .milliseconds(50)) {
          try await before.list.items.count == 3
        }
        let session: String = try await page.evaluate("sluice.session")
        try await page.reload()
        #expect(try await HTTP.publish(channel.text, #"{"number":3}"#, to: cluster.nginx).status == .created)
        let after = try await Listener.sluice(page, channel, options: options)
        try await eventually("the fourth", every: .milliseconds(50)) { try await !after.list.items.isEmpty }
        #expect(try await after.list.items.map(\.number) == [3])
        #expect(try await page.evaluate("sluice.session", as: String.self) == session)
      }
    }

    @Test func aRefusalIsToldAndHurtsNobodyElse() async throws {
      let cluster = try await ClusterTests.cluster()
      try await Browser.with(cluster) { browser in
        for transport in ["websocket", "sse", "long-poll"] {
          let page = try await browser.open(transport, cluster.nginx, "/healthz")
          try await page.run(
            """
            async (transport) => {
              const { Sluice } = await import("/sluice.js");
              window.heard = [];
              const sluice = window.sluice = new Sluice(null, { transports: [transport] });
              const hear = ({ type, channel, code }) => heard.push(`${type} ${channel} ${code ?? ""}`.trim());
              for (const channel of ["room:good", "no such name!", "room:fine"]) sluice.subscribe(channel, hear);
            }
            """,
            transport
          )
          try await eventually("all answers by \(transport)", every: .milliseconds(50)) {
            let heard = Set(try await page.evaluate("() => heard", as: [String].self))
            let isLive = try await page.evaluate("() => sluice.state.state === 'connected'", as: Bool.self)
            return isLive
              && heard.isSuperset(of: [
                "subscribed room:good", "subscribed room:fine", "error no such name! bad_channel",
              ])
          }
        }
      }
    }
  }
}
