import NIOCore
import NIOHTTP1
import NIOPosix
import Sessions
import Testing
import Wire

@testable import GatewayNode

@Suite struct NodeTests {
  @Test func bothListenersSayThatItIsReady() async throws {
    try await RunningNode.with { running in
      for path in ["/healthz", "/readyz"] {
        let answers = [try await running.ask(.GET, path), try await running.askAsClient(.GET, path)]
        #expect(answers.map(\.status) == [.ok, .ok])
      }
    }
  }

  @Test func aDrainedNodeIsAliveButNotReady() async throws {
    try await RunningNode.with { running in
      _ = try await running.ask(.POST, "/v1/nodes/n1/drain")
      try await running.wait(for: .drained)
      for answer in [try await running.ask(.GET, "/readyz"), try await running.askAsClient(.GET, "/readyz")] {
        #expect(answer.status == .serviceUnavailable)
        #expect(answer.headers.first(name: "Retry-After") == "1")
        #expect(try answer.json["code"]?.string == "draining")
      }
      #expect(try await running.askAsClient(.GET, "/healthz").status == .ok)
      #expect(try await running.askAsClient(.POST, "/v1/channels/a/messages", "1").status == .created)
      #expect(try await running.ask(.DELETE, "/v1/nodes/n1/drain").status == .ok)
      #expect(try await running.askAsClient(.GET, "/readyz").status == .ok)
    }
  }

  @Test func aSignalEndsInCode0() async throws {
    try await RunningNode.with { running in
      running.node.signalled()
      let code = try await running.node.run()
      #expect(code == 0)
      #expect(running.node.status.standing.state == .stopped)
      await #expect(throws: OperatorClient.Failure.self) { try await running.askAsClient(.GET, "/healthz") }
    }
  }

  @Test func aSecondSignalEndsInCode1() async throws {
    try await RunningNode.with(settings: {
      $0.settle = .hours(1)
    }) { running in
      running.node.signalled()
      try await running.wait(for: .draining)
      running.node.signalled()
      #expect(try await running.node.run() == 1)
    }
  }

  @Test(arguments: [SettingKey.listen, .operatorListen])
  func aPortInUseIsNamed(_ key: SettingKey) async throws {
    try await RunningNode.with { running in
      let taken = ListenAddress(running.node.address)
      var settings = running.settings
      if key == .listen { settings.listen = taken } else { settings.operatorListen = taken }
      let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
      settings.eventLoops = 1
      let wrong = settings
      let failure = await #expect(throws: NodeFailure.self) { try await Node.start(wrong, on: group) }
      #expect(failure?.description == "cannot listen on \(taken) (\(key.flag)): Address already in use")
      try await group.shutdownGracefully()
    }
  }

  @Test func anonymousClientsAreRefusedWhereTheyAreNotServed() async throws {
    try await RunningNode.with(settings: {
      $0.anonymous = .deny
    }) { running in
      let answer = try await running.askAsClient(.POST, "/v1/channels/a/messages", "1")
      #expect(answer.status == .unauthorized)
      #expect(try answer.json["code"]?.string == "unauthorized")
      #expect(try await running.askAsClient(.GET, "/readyz").status == .ok)
    }
  }

  @Test func thePagesAreServed() async throws {
    try await RunningNode.with { running in
      for path in ["/", "/prices", "/lab"] {
        let page = try await running.askAsClient(.GET, path)
        #expect(page.status == .ok)
        #expect(page.headers.first(name: "Content-Type") == "text/html; charset=utf-8")
        #expect(
          page.headers.first(name: "Content-Security-Policy")?.contains("frame-ancestors 'none'") == true
        )
        #expect(page.headers.first(name: "Referrer-Policy") == "no-referrer")
        #expect(page.text.hasPrefix("<!doctype html>"))
        // Everything that it names is there too, and is not sent to who has it.
        for match in page.text.matches(of: /(?:src|href)="\/?([a-z]+\.(?:js|css))"/) {
          let file = try await running.askAsClient(.GET, "/\(match.1)")
          #expect(file.status == .ok, "\(match.1)")
          #expect(file.headers.first(name: "X-Content-Type-Options") == "nosniff")
          #expect(file.headers.first(name: "ETag") != nil)
          #expect(file.body.readableBytes > 0)
        }
      }
      let client = try await running.askAsClient(.GET, "/sluice.js")
      #expect(client.headers.first(name: "Content-Type") == "text/javascript; charset=utf-8")
      #expect(client.headers.first(name: "Access-Control-Allow-Origin") == "*")
    }
  }
}
