import Admission
import NIOCore
import NIOHTTP1
import Sessions
import Testing
import Wire

@testable import GatewayNode

@Suite struct OperatorDeskTests {
  @Test func nodesAreAsTheInterfaceSays() async throws {
    try await RunningNode.with { running in
      let incarnation = running.node.status.incarnation
      let node = """
        {"node":"n1","incarnation":"\(incarnation)","state":"ready","version":"\(Version.text)","uptime_s":N,\
        "connections":{"websocket":0,"sse":0,"poll":0},"started_at":N,"alive":true,"seen_s":N,\
        "rates":{"messages_in":N,"messages_out":N,"connects":N},"memory_bytes":N,"loop_lag_ms":N,\
        "accept_rate":N,"health":{"publish":true,"feed":true,\
        "breakers_open":0,"timeouts":0,"refused":0,"reconnects":0},\
        "resumes":{"total":N,"redis_reads":N,"reads_per_thousand":N}}
        """
      let number =
        /\b(uptime_s|started_at|seen_s|messages_in|messages_out|connects|memory_bytes|loop_lag_ms|accept_rate|total|redis_reads|reads_per_thousand)":[0-9.]+/
      let list = try await running.ask(.GET, "/v1/nodes")
      #expect(list.status == .ok)
      #expect(list.headers.first(name: "Content-Type") == "application/json")
      #expect(list.text.replacing(number) { "\($0.1)\":N" } == "{\"nodes\":[\(node)]}")
      let escaped = incarnation.replacing("/", with: "%2F")
      for path in ["/v1/nodes/n1", "/v1/nodes/\(escaped)"] {
        let one = try await running.ask(.GET, path)
        #expect(one.text.replacing(number) { "\($0.1)\":N" } == node)
      }
      let missing = try await running.ask(.GET, "/v1/nodes/other")
      #expect(missing.status == .notFound)
      #expect(try missing.json["code"]?.string == "not_found")
    }
  }

  @Test func aDrainAnswersTheNode() async throws {
    try await RunningNode.with(settings: {
      $0.settle = .seconds(600)
    }) { running in
      let answer = try await running.ask(.POST, "/v1/nodes/n1/drain", #"{"over_seconds":30}"#)
      #expect(answer.status == .ok)
      #expect(try answer.json["state"]?.string == "draining")
      let drain = try #require(try answer.json["drain"]?.object)
      #expect(drain["remaining"]?.integer == 0)
      #expect(drain["per_second"]?.integer == 0)
      #expect(drain["forced"]?.integer == 0)
      #expect((600...630).contains(try #require(drain["seconds_left"]?.integer)))
      let ended = try await running.ask(.DELETE, "/v1/nodes/n1/drain")
      #expect(try ended.json["state"]?.string == "ready")
      #expect(!ended.text.contains("drain\":"))
    }
  }

  @Test(arguments: ["{", "[]", #"{"over_seconds":-1}"#, #"{"over_seconds":"5"}"#, #"{"over_seconds":1.5}"#])
  func aWrongWindowIsRefused(_ body: String) async throws {
    try await RunningNode.with { running in
      let answer = try await running.ask(.POST, "/v1/nodes/n1/drain", body)
      #expect(answer.status == .badRequest)
      #expect(running.node.status.standing.state == .ready)
    }
  }

  /// Its window is misspelt: a drain over the default one is not what was asked for.
  @Test(arguments: [#"{"over":3}"#, #"{"over_seconds":3,"overSeconds":3}"#, #"{"":3}"#])
  func aMemberThatNobodyKnowsIsRefused(_ body: String) async throws {
    try await RunningNode.with { running in
      let answer = try await running.ask(.POST, "/v1/nodes/n1/drain", body)
      #expect(answer.status == .badRequest)
      #expect(try answer.json["code"]?.string == "bad_request")
      #expect(try #require(try answer.json["detail"]?.string).contains("over_seconds"))
      #expect(running.node.status.standing.state == .ready)
    }
  }

  @Test(arguments: ["", "{}"])
  func withoutAWindowTheSettingsHaveIt(_ body: String) async throws {
    try await RunningNode.with(settings: {
      $0.settle = .seconds(600)
    }) { running in
      let answer = try await running.ask(.POST, "/v1/nodes/n1/drain", body)
      #expect(answer.status == .ok)
      #expect(running.node.status.standing.state == .draining)
    }
  }

  @Test func anotherNodeIsNotDrainedFromHere() async throws {
    try await RunningNode.with { running in
      for method in [HTTPMethod.POST, .DELETE] {
        let answer = try await running.ask(method, "/v1/nodes/n2/drain")
        #expect(answer.status == .notFound)
      }
    }
  }

  @Test func theClusterIsShownEachSecond() async throws {
    try await RunningNode.with { running in
      let url = try #require(OperatorURL("http://\(ListenAddress(running.node.operatorAddress))"))
      var times: [Int64] = []
      for try await view in OperatorClient(url).watch() {
        let object = try JSONObject(view)
        #expect(object["nodes"]?.elements?.first?.object?["node"]?.string == "n1")
        #expect(NodeTable(view) != nil)
        #expect(try #require(ClusterSummary(view)).description.hasPrefix("1 node  0 connections"))
        times.append(try #require(object["time"]?.integer))
        if times.count == 3 { break }
      }
      #expect(times.count == 3)
      #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 >= 500 })
    }
  }

  @Test func whoMayNotAskMayNotWatch() async throws {
    try await RunningNode.with(settings: { $0.operatorKeys = [OperatorKey("0123456789abcdef")] }) { running in
      let url = try #require(OperatorURL("http://\(ListenAddress(running.node.operatorAddress))"))
      await #expect(throws: OperatorClient.Failure.self) {
        for try await _ in OperatorClient(url).watch() { Issue.record("it may") }
      }
    }
  }

  @Test func publicationsAreAnsweredOneByOne() async throws {
    try await RunningNode.with(settings: {
      $0.namespaces.named["news"] = NamespaceOptions()
      $0.namespaces.named["news"]?.publish = .nobody
      $0.namespaces.named["small"] = NamespaceOptions()
      $0.namespaces.named["small"]?.maxMessageBytes = 4
      $0.namespaces.named["live"] = NamespaceOptions()
      $0.namespaces.named["live"]?.delivery = .ephemeral
    }) { running in
      let answer = try await running.ask(
        .POST,
        "/v1/publish",
        """
        {"publications":[{"channels":["news:a","a b","live:x"],"data":{"n": [1,\n2]},"key":"k"},
        {"channels":["small:a"],"data":"long"},{"channels":["news:a"],"data":null},{"channels":[],"data":1},
        {"channels":["news:a"],"data":0,"key":"k"}]}
        """
      )
      #expect(answer.status == .ok)
      let results = try #require(try answer.json["results"]?.elements).compactMap(\.object)
      #expect(
        results.map { $0["channel"]?.string } == ["news:a", "a b", "live:x", "small:a", "news:a", "news:a"]
      )
      let errors = results.map { $0["error"]?.object?["code"]?.string }
      #expect(errors == [nil, "bad_channel", nil, "too_large", nil, nil])
      let cursors = results.map { $0["cursor"]?.string.flatMap(Cursor.init)?.offset }
      #expect(cursors == [1, nil, nil, nil, 2, 1])
      #expect(results.map { $0["repeated"]?.bool } == [nil, nil, nil, nil, nil, true])
      let history = try await running.askAsClient(.GET, "/v1/channels/news:a/messages")
      let messages = try #require(try history.json["messages"]?.elements).compactMap(\.object)
      #expect(messages.map { $0["data"].map { String(buffer: $0.bytes) } } == [#"{"n": [1, 2]}"#, "null"])
    }
  }

  /// Whoever guesses a backend's key cannot make its message vanish.
  @Test func noClientUsesUpTheKeyOfABackend() async throws {
    try await RunningNode.with { running in
      let client = try await RawClient.connect(to: running.node.address)
      try await client.send(
        "POST /v1/channels/game:a/messages HTTP/1.1\r\nHost: a\r\nIdempotency-Key: round-17\r\nContent-Length: 1\r\n\r\n1"
      )
      try await client.received("HTTP/1.1 201 ")
      try await client.close()
      let answer = try await running.ask(
        .POST,
        "/v1/publish",
        #"{"publications":[{"channels":["game:a"],"data":2,"key":"round-17"}]}"#
      )
      let result = try #require(try answer.json["results"]?.elements?.first?.object)
      #expect(result["cursor"]?.string.flatMap(Cursor.init)?.offset == 2 && result["repeated"] == nil)
    }
  }

  @Test(arguments: [
    "", "[]", "{}", #"{"publications":1}"#, #"{"publications":[1]}"#,
    #"{"publications":[{"channels":["a"]}]}"#,
    #"{"publications":[{"channels":[1],"data":1}]}"#, #"{"publications":[{"channels":"a","data":1}]}"#,
    #"{"publications":[{"channels":["a"],"data":1,"key":""}]}"#,
    #"{"publications":[{"channels":["a"],"data":1,"key":5}]}"#,
  ])
  func aWrongPublishIsRefused(_ body: String) async throws {
    try await RunningNode.with { running in
      let answer = try await running.ask(.POST, "/v1/publish", body)
      #expect(answer.status == .badRequest)
      #expect(answer.headers.first(name: "Content-Type") == "application/problem+json")
    }
  }

  @Test func metricsAreThere() async throws {
    try await RunningNode.with { running in
      _ = try await running.ask(.POST, "/v1/publish", #"{"publications":[{"channels":["a"],"data":1}]}"#)
      let answer = try await running.ask(.GET, "/metrics")
      #expect(answer.headers.first(name: "Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
      for line in [
        "sluice_publishes_total 1", "sluice_connections{transport=\"websocket\"} 0",
        "sluice_deliveries_total 0",
        "sluice_node_state{state=\"ready\"} 1", "sluice_node_state{state=\"draining\"} 0", "sluice_ready 1",
      ] {
        #expect(answer.text.contains("\n\(line)\n") || answer.text.hasPrefix("\(line)\n"), "\(line)")
      }
    }
  }

  @Test func theKeyIsAskedForExceptOfHealth() async throws {
    let key = "0123456789abcdef"
    try await RunningNode.with(settings: {
      $0.operatorKeys = [OperatorKey(key)]
    }) { running in
      for path in ["/metrics", "/v1/nodes", "/v1/nodes/n1"] {
        for wrong in [nil, "0123456789abcdeX", "0123456789abcdef0", "0"] {
          let answer = try await running.ask(.GET, path, key: wrong)
          #expect(answer.status == .unauthorized)
          #expect(answer.headers.first(name: "WWW-Authenticate") == "Bearer")
        }
        #expect(try await running.ask(.GET, path, key: key).status == .ok)
      }
      #expect(try await running.ask(.POST, "/v1/publish", "{}").status == .unauthorized)
      #expect(try await running.ask(.POST, "/v1/nodes/n1/drain").status == .unauthorized)
      #expect(running.node.status.standing.state == .ready)
      #expect(try await running.ask(.GET, "/healthz").status == .ok)
      #expect(try await running.ask(.GET, "/readyz").status == .ok)
    }
  }

  @Test func aKeyToReadActsNot() async throws {
    try await RunningNode.with(settings: {
      $0.operatorKeys = [OperatorKey("0123456789abcdef", role: .read), OperatorKey("fedcba9876543210")]
      $0.settle = .seconds(600)
    }) { running in
      let reader = "0123456789abcdef"
      #expect(try await running.ask(.GET, "/v1/nodes", key: reader).status == .ok)
      for (method, path) in [
        (HTTPMethod.POST, "/v1/nodes/n1/drain"), (.DELETE, "/v1/nodes/n1/drain"), (.POST, "/v1/publish"),
      ] {
        let refused = try await running.ask(method, path, method == .DELETE ? nil : "{}", key: reader)
        #expect(refused.status == .forbidden)
      }
      #expect(running.node.status.standing.state == .ready)
      #expect(try await running.ask(.POST, "/v1/nodes/n1/drain", key: "fedcba9876543210").status == .ok)
      #expect(running.node.status.standing.state == .draining)
    }
  }

  /// A body may be large: it is not waited for before the key was looked at.
  @Test func whoMayNotActSendsNoBody() async throws {
    try await RunningNode.with(settings: {
      $0.operatorKeys = [OperatorKey("0123456789abcdef", role: .read), OperatorKey("fedcba9876543210")]
    }) { running in
      for (key, status) in [(nil, "401"), ("wrong", "401"), ("0123456789abcdef", "403")]
        as [(String?, String)]
      {
        let client = try await RawClient.connect(to: running.node.operatorAddress)
        let bearer = key.map { "Authorization: Bearer \($0)\r\n" } ?? ""
        try await client.send(
          "POST /v1/publish HTTP/1.1\r\nHost: a\r\n\(bearer)Content-Length: 8388608\r\n\r\n{"
        )
        try await client.received("HTTP/1.1 \(status) ", "Connection: close\r\n")
        try await client.close()
      }
    }
  }

  @Test func onlySoManyConnectionsAreServed() async throws {
    try await RunningNode.with { running in
      var clients: [RawClient] = []
      for _ in 0..<OperatorListener.mostConnections {
        clients.append(try await RawClient.connect(to: running.node.operatorAddress))
      }
      while true {
        let answer = try await running.ask(.GET, "/v1/nodes")
        if answer.status == .serviceUnavailable {
          #expect(try answer.json["code"]?.string == "overloaded")
          break
        }
        // On a slow machine the first are gone by now.
        try #require(clients.count < 10 * OperatorListener.mostConnections, "\(answer.status)")
        clients.append(try await RawClient.connect(to: running.node.operatorAddress))
      }
      #expect(try await running.ask(.GET, "/healthz").status == .ok)
      for client in clients { try await client.close() }
    }
  }

  @Test func withoutAKeyOnlyThisMachineAsks() throws {
    let listen = ListenAddress(host: "127.0.0.1", port: 9090)
    for host in ["127.0.0.1:9090", "localhost:9090", "[::1]:9090", "127.0.0.1", "127.3.2.1:80", ""] {
      #expect(OperatorGuard.isOurs(host, listen), "\(host)")
    }
    for host in ["evil.example:9090", "evil.example", "10.0.0.1:9090", "localhost.evil.example", "a b"] {
      #expect(!OperatorGuard.isOurs(host, listen), "\(host)")
    }
  }
}
