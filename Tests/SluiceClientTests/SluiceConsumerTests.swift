import Framing
import NIOCore
import Testing
import Wire

@testable import SluiceClient

/// Who is slow, and who leaves.
@Suite struct SluiceConsumerTests {
  /// A full buffer, and what one turn of the loop has read by then: four times 64 KiB, of messages of 1 KiB.
  private static let most = 8 + 4 * 64

  @Test func aSlowConsumerHoldsTheConnectionBackAndMissesNothing() async throws {
    try await ScriptedServer.run { server in
      let sluice = try server.sluice { $0.buffer = 8 }
      let subscription = sluice.subscribe("room:a")
      let peer = try await server.socket()
      let count: UInt64 = 14_000
      let text = ByteBuffer(string: "\"\(String(repeating: "x", count: 1_000))\"")
      for offset in 5..<(5 + count) {
        peer.sayText(
          Script.json(
            .message(channel: Script.room, cursor: Script.cursor(offset), data: text, user: nil, time: 1)
          )
        )
      }
      _ = try await eventually("a server that cannot write any more") { peer.isStuck ? true : nil }
      let buffer = subscription.lease.buffer
      _ = try await eventually("a full buffer") { buffer.count >= 8 ? true : nil }
      #expect(buffer.count < Self.most, "\(buffer.count) events wait")
      // That it had caught up before is heard late.
      let home = sluice.home
      let isHeldBack = home.loop.makePromise(of: Bool.self)
      home.run { core in
        core.drained(buffer)
        isHeldBack.succeed(core.isHeldBack)
      }
      #expect(try await isHeldBack.futureResult.get())
      var expected: UInt64 = 5
      for try await event in subscription {
        guard case .message(let message) = event else { throw Unexpected() }
        #expect(message.cursor == Script.cursor(expected))
        expected += 1
        if expected.isMultiple(of: 1_000) { #expect(buffer.count < Self.most) }
        if expected == 5 + count { break }
      }
      #expect(server.peerCount == 1)
    }
  }

  @Test func aSlowConsumerWhoseConnectionIsClosedGoesOnWhereItWas() async throws {
    try await ScriptedServer.run { server in
      let sluice = try server.sluice { $0.buffer = 8 }
      let subscription = sluice.subscribe("room:a")
      let first = try await server.socket()
      let text = ByteBuffer(string: "\"\(String(repeating: "x", count: 1_000))\"")
      for offset in UInt64(5)..<1_005 {
        first.sayText(
          Script.json(
            .message(channel: Script.room, cursor: Script.cursor(offset), data: text, user: nil, time: 1)
          )
        )
      }
      let buffer = subscription.lease.buffer
      _ = try await eventually("a full buffer") { buffer.count >= 8 ? true : nil }
      first.close()
      _ = try await eventually("the end of the connection") { first.isEnded ? true : nil }
      #expect(buffer.count < Self.most, "\(buffer.count) events wait")
      let seen = Task {
        var cursors: [Cursor?] = []
        for try await event in subscription {
          guard case .message(let message) = event else { throw Unexpected() }
          cursors.append(message.cursor)
          if message.json == "true" { break }
        }
        return cursors
      }
      let second = try await server.peer(1)
      _ = try await second.acceptWebSocket()
      second.sayText(Script.welcome("two"))
      guard case .subscribe(_, .cursor(let position)?, _) = try await second.command().command else {
        throw Unexpected()
      }
      second.sayText(Script.subscribed(position.offset, resumed: true))
      let last = position.offset + 1
      let data = ByteBuffer(string: "true")
      second.sayText(
        Script.json(
          .message(channel: Script.room, cursor: Script.cursor(last), data: data, user: nil, time: 1)
        )
      )
      #expect(try await seen.value == (5...last).map { Script.cursor($0) })
    }
  }

  @Test(arguments: [SubscriberTransport.webSocket, .eventStream, .longPoll, .shortPoll])
  func aCancelledTaskLeavesNothingBehind(_ transport: SubscriberTransport) async throws {
    try await ScriptedServer.run { server in
      var sluice: Sluice? = try server.sluice { $0.transports = [transport] }
      weak let home = sluice?.home
      let task = Task { [subscription = sluice!.subscribe("room:a")] in
        var seen = 0
        for try await _ in subscription { seen += 1 }
        return seen
      }
      let peer: ScriptedServer.Peer
      switch transport {
      case .webSocket:
        peer = try await server.socket()
        peer.sayText(Script.message(5))
      case .longPoll, .shortPoll:
        peer = try await server.peer(0)
        _ = try await peer.request()
        peer.say(Script.poll(5, [Script.message(5)], headers: "X-Poll-Interval: 1\r\n"))
        _ = try await peer.request()
      default:
        peer = try await server.peer(0)
        _ = try await peer.request()
        peer.say(Script.streamHead + Script.sse("welcome", "room:a@aaaaaaaa.4", Script.welcome("one")))
        peer.say(Script.sse(nil, "room:a@aaaaaaaa.5", Script.message(5)))
      }
      var states = sluice!.connections.makeAsyncIterator()
      while let state = await states.next() {
        if case .connected(transport, _) = state { break }
      }
      task.cancel()
      _ = try await task.value
      if transport == .webSocket {
        while true {
          if case .close = try await peer.frame() { break }
        }
        peer.close()
      }
      _ = try await eventually("the end of the connection") { peer.isEnded ? true : nil }
      #expect(server.peerCount == 1)
      sluice = nil
      _ = try await eventually("the end of the client") { home == nil ? true : nil }
      #expect(await states.next() == .idle)
      #expect(await states.next() == nil)
    }
  }
}
