import NIOCore
import SluiceClient
import Testing
import Wire

/// Those who send frames without end.
extension ClusterTests.FloodTests {
  @Test(
    arguments: [
      ("messages of one byte", [0x81, 0x81, 0, 0, 0, 0, 0x31]), ("pings", [0x89, 0x80, 0, 0, 0, 0]),
      ("pongs", [0x8a, 0x80, 0, 0, 0, 0]),
    ] as [(String, [UInt8])]
  )
  func tinyFramesByTheMillionEndTheirConnection(_ name: String, _ frame: [UInt8]) async throws {
    let many = Array(repeating: frame, count: 20_000).flatMap(\.self)
    // Bad messages end a connection before their number does.
    let isBad = frame.count == 7
    try await Attack.on([], name) { node in
      let bad = try await ended(by: "bad_messages", node)
      let tooMany = try await ended(by: "offender", node)
      let sockets = try await flood(node.endpoint, many) { code, answers in
        #expect(code == 1008)
        if isBad { #expect(answers.ranges(of: #""error""#).count == 10) }
      }
      #expect(try await ended(by: "bad_messages", node) - bad == (isBad ? sockets : 0))
      #expect(try await ended(by: "offender", node) - tooMany == (isBad ? 0 : sockets))
    }
  }

  /// How often a limit has ended a connection.
  private func ended(by reason: String, _ node: LoneNode) async throws -> Int {
    try await Metrics.value(#"sluice_refused_total{reason="\#(reason)"}"#, of: node.backends)
  }

  /// One after another sends the same again and again until the server has had enough of it, and comes back; beside them
  /// there is one who does not stop then. How many there were.
  private func flood(
    _ endpoint: Endpoint,
    first: [UInt8] = [],
    _ many: [UInt8],
    end: (_ code: UInt16?, _ answers: String) throws -> Void
  ) async throws -> Int {
    let steady = try await Attack.socket(to: endpoint)
    steady.send(first)
    var sockets = 1
    try await Attack.keepUp(for: .seconds(1), every: .zero) {
      if !steady.isEnded { steady.send(many) }
      let socket = try await Attack.socket(to: endpoint)
      sockets += 1
      socket.send(first)
      let code = try await eventually("the end of a flood", within: .seconds(40)) {
        socket.send(many)
        return socket.closeFrame
      }
      try end(code, socket.text)
      socket.close()
    }
    try end(await steady.closeCode(within: .seconds(40)), steady.text)
    return sockets
  }

  @Test func goodMessagesByTheThousandAreRefusedThenEndTheirConnection() async throws {
    // Made once, and not read more closely than has to be: what it takes to attack is not the node's doing.
    let pings = { (count: Int) in
      (0..<count).flatMap { Attack.frame(0x81, Array(#"{"type":"ping","id":\#($0)}"#.utf8)) }
    }
    let (allowed, many) = (pings(1_100), pings(3_000))
    try await Attack.on(["--messages-per-second", "200"]) { node in
      let before = try await ended(by: "offender", node)
      var sockets = 0
      try await Attack.keepUp(for: .seconds(1), every: .milliseconds(1)) {
        let socket = try await Attack.socket(to: node.endpoint)
        sockets += 1
        socket.send(allowed)
        let answers = try await socket.text(with: #""rate_limited""#)
        let refused = try #require(answers.firstMatch(of: /"rate_limited".*?"retry_after_ms":([0-9]+)/))
        #expect((Int(refused.1) ?? 0) >= 1_000)
        // Those before it were answered.
        #expect(answers.contains(#""pong","id":999}"#))
        #expect(socket.closeFrame == nil)
        socket.send(many)
        #expect(try await socket.closeCode() == 1008)
        socket.close()
      }
      #expect(try await ended(by: "offender", node) - before == sockets)
    }
  }

  @Test func aMessageThatNeverEndsIsGivenUp() async throws {
    try await Attack.on(["--body-timeout", "1s"]) { node in
      var sockets: [RawConnection] = []
      for _ in 0..<50 { sockets.append(try await Attack.socket(to: node.endpoint)) }
      for socket in sockets { socket.send(Attack.frame(0x01, Array("\"a".utf8))) }
      try await Attack.keepUp(every: .milliseconds(100)) {
        for socket in sockets { socket.send(Attack.frame(0x00, [0x61])) }
      }
      for socket in sockets { #expect(try await socket.closeCode() == 1008) }
    }
  }

  /// Fragments without a byte in them never make a message too big.
  @Test func emptyFragmentsWithoutEndAreGivenUp() async throws {
    let many = Array(repeating: Attack.frame(0x00), count: 10_000).flatMap(\.self)
    try await Attack.on { node in
      let before = try await ended(by: "offender", node)
      let sockets = try await flood(node.endpoint, first: Attack.frame(0x01, [0x31]), many) { code, _ in
        #expect(code == 1008)
      }
      #expect(try await ended(by: "offender", node) - before == sockets)
    }
  }

  @Test func aFragmentedMessageIsTooBigAsAWhole() async throws {
    let piece = [UInt8](repeating: 0x20, count: 10_000)
    let many = Array(repeating: Attack.frame(0x00, piece), count: 20).flatMap(\.self)
    try await Attack.on { node in
      let before = try await ended(by: "message_size", node)
      let sockets = try await flood(node.endpoint, first: Attack.frame(0x01, piece), many) { code, _ in
        #expect(code == 1009)
      }
      #expect(try await ended(by: "message_size", node) - before == sockets)
    }
  }
}
