import NIOCore
import NIOHTTP1
import NIOPosix
import Sessions
import Testing
import Wire

@testable import GatewayNode

/// A node on ports of its own, alone in memory, for one test.
struct RunningNode {
  let node: Node
  let settings: NodeSettings
  private let group: MultiThreadedEventLoopGroup

  static func with(_ body: (RunningNode) async throws -> Void) async throws {
    try await with(settings: { _ in }, body)
  }

  static func with(
    settings adjust: (inout NodeSettings) -> Void,
    _ body: (RunningNode) async throws -> Void
  ) async throws {
    var settings = NodeSettings()
    settings.node = "n1"
    settings.listen.port = 0
    settings.operatorListen.port = 0
    settings.eventLoops = 2
    settings.settle = .zero
    settings.drainWindow = .milliseconds(100)
    adjust(&settings)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: settings.eventLoops)
    do {
      let node = try await Node.start(settings, on: group)
      try await RunningNode(node: node, settings: settings, group: group).check(body)
    } catch {
      try await group.shutdownGracefully()
      throw error
    }
    try await group.shutdownGracefully()
  }

  private func check(_ body: (RunningNode) async throws -> Void) async throws {
    do {
      try await wait(for: .ready)
      try await body(self)
    } catch {
      await end()
      throw error
    }
    await end()
  }

  /// At once, whatever the node does.
  private func end() async {
    node.signalled()
    node.signalled()
    _ = try? await node.run()
    // A process would be over now; here its client must not be forgotten.
    await node.webhook?.shutdown()
    // Nor what its loops have asked each other: a question, and its answer.
    for _ in 0..<2 {
      for loop in group.makeIterator() { _ = try? await loop.submit {}.get() }
    }
  }

  func wait(for state: NodeState) async throws {
    let deadline = NIODeadline.now() + .seconds(20)
    while node.status.standing.state != state {
      try #require(NIODeadline.now() < deadline, "still \(node.status.standing.state)")
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  /// Asks the operator listener.
  func ask(
    _ method: HTTPMethod,
    _ path: String,
    _ body: String? = nil,
    key: String? = nil
  ) async throws -> OperatorClient.Answer {
    try await answer(of: node.operatorAddress, method, path, body, key)
  }

  /// Asks the clients' listener.
  func askAsClient(_ method: HTTPMethod, _ path: String, _ body: String? = nil) async throws
    -> OperatorClient.Answer
  {
    try await answer(of: node.address, method, path, body, nil)
  }

  private func answer(
    of address: SocketAddress,
    _ method: HTTPMethod,
    _ path: String,
    _ body: String?,
    _ key: String?
  ) async throws -> OperatorClient.Answer {
    let url = try #require(OperatorURL("http://\(ListenAddress(address))"))
    return try await OperatorClient(url, key: key).send(
      method,
      path,
      body: body.map { ByteBuffer(string: $0) }
    )
  }
}

extension OperatorClient.Answer {
  var json: JSONObject {
    get throws { try JSONObject(body) }
  }

  var text: String { String(buffer: body) }
}
