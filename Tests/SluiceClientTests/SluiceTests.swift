import Framing
import NIOCore
import Testing
import Wire

@testable import SluiceClient

@Suite struct SluiceTests {
  @Test func bringsMessagesGapsAndPeopleInOrder() async throws {
    try await ScriptedServer.run { server in
      let sluice = try server.sluice()
      var events = sluice.subscribe("room:a", since: .start, presence: .watch).makeAsyncIterator()
      let peer = try await server.peer(0)
      _ = try await peer.acceptWebSocket()
      peer.sayText(Script.welcome("one"))
      #expect(
        try await peer.command().command
          == .subscribe(channel: Script.room, since: .start, presence: .watch)
      )
      peer.sayText(Script.subscribed(4))
      peer.sayText(Script.message(5))
      let gap = Gap(from: Script.cursor(5), to: Script.cursor(8), reason: .overflow)
      peer.sayText(Script.json(.gap(channel: Script.room, gap)))
      let member = Member(id: Script.session.member, user: "ada", since: 0)
      peer.sayText(Script.json(.join(channel: Script.room, member: member)))
      peer.sayText(Script.message(9))
      guard case .message(let message)? = try await events.next() else { throw Unexpected() }
      #expect(message.json == #"{"n":5}"#)
      #expect(message.cursor == Script.cursor(5))
      guard case .gap(Script.room, gap)? = try await events.next() else { throw Unexpected() }
      guard case .join(_, let joined)? = try await events.next() else { throw Unexpected() }
      #expect(joined.user == "ada")
      guard case .message(let last)? = try await events.next() else { throw Unexpected() }
      #expect(last.cursor == Script.cursor(9))
      sluice.close()
      #expect(try await events.next() == nil)
    }
  }

  @Test func aSecondChannelSharesTheWebSocket() async throws {
    try await ScriptedServer.run { server in
      let sluice = try server.sluice()
      let first = sluice.subscribe("room:a")
      let peer = try await server.socket()
      let second = sluice.subscribe("room:b", since: .cursor(Script.cursor(2)))
      let wish = try await peer.command()
      let other = ChannelName("room:b")!
      #expect(wish.command == .subscribe(channel: other, since: .cursor(Script.cursor(2)), presence: nil))
      peer.sayText(Script.subscribed(2, id: wish.id!, in: other, resumed: true))
      peer.sayText(Script.message(3, in: other))
      peer.sayText(Script.message(5))
      var here = first.makeAsyncIterator()
      var there = second.makeAsyncIterator()
      guard case .message(let one)? = try await there.next() else { throw Unexpected() }
      guard case .message(let two)? = try await here.next() else { throw Unexpected() }
      #expect(one.channel == other && one.cursor == Script.cursor(3))
      #expect(two.channel == Script.room && two.cursor == Script.cursor(5))
      second.cancel()
      #expect(try await there.next() == nil)
      #expect(try await peer.command().command == .unsubscribe(channel: other))
      // A late message of a channel that was left is nobody's.
      peer.sayText(Script.message(4, in: other))
      peer.sayText(Script.message(6))
      guard case .message(let three)? = try await here.next() else { throw Unexpected() }
      #expect(three.cursor == Script.cursor(6))
      #expect(server.peerCount == 1)
    }
  }

  @Test func aSecondChannelOpensAnotherStreamFirst() async throws {
    try await ScriptedServer.run { server in
      let sluice = try server.sluice { $0.transports = [.eventStream] }
      let first = sluice.subscribe("room:a")
      let stream = try await server.peer(0)
      #expect(try await stream.request().line.contains("channels=room:a "))
      stream.say(Script.streamHead + Script.sse("welcome", "room:a@aaaaaaaa.4", Script.welcome("one")))
      stream.say(Script.sse(nil, "room:a@aaaaaaaa.5", Script.message(5)))
      var here = first.makeAsyncIterator()
      _ = try await here.next()
      let second = sluice.subscribe("room:b", presence: .join)
      // What one wants of presence holds for all channels of a stream, so they are two.
      let requests = [try await server.peer(1).request(), try await server.peer(2).request()]
      let lines = requests.map(\.line)
      #expect(lines.contains { $0.contains("channels=room:a&") && !$0.contains("presence") }, "\(lines)")
      #expect(lines.contains { $0.contains("channels=room:b&presence=join") }, "\(lines)")
      #expect(requests.contains { $0.head.contains("Last-Event-ID: room:a@aaaaaaaa.5\r\n") })
      #expect(!stream.isEnded)
      for (number, line) in lines.enumerated() {
        let set = line.contains("room:a") ? "room:a@aaaaaaaa.5" : "room:b@aaaaaaaa.1"
        try await server.peer(number + 1).say(
          Script.streamHead + Script.sse("welcome", set, Script.welcome("two"))
        )
      }
      _ = try await eventually("the end of the first stream") { stream.isEnded ? true : nil }
      let number = lines[0].contains("room:b") ? 1 : 2
      let message = Script.message(2, in: ChannelName("room:b")!)
      try await server.peer(number).say(Script.sse(nil, "room:b@aaaaaaaa.2", message))
      var there = second.makeAsyncIterator()
      guard case .message(let one)? = try await there.next() else { throw Unexpected() }
      #expect(one.cursor == Script.cursor(2))
    }
  }

  @Test func anAppIsToldWhatItMayNotDo() async throws {
    try await ScriptedServer.run { server in
      #expect(throws: SluiceError.self) { try Sluice("ftp://somewhere") }
      #expect(throws: SluiceError.self) { try Sluice("https://127.0.0.1:1") }
      let sluice = try server.sluice()
      await #expect(throws: SluiceError.self) {
        for try await _ in sluice.subscribe("no channel") {}
      }
      let first = sluice.subscribe("room:a")
      let peer = try await server.socket()
      do {
        for try await _ in sluice.subscribe("room:a") {}
        Issue.record("a channel was subscribed twice")
      } catch let error as SluiceError {
        #expect(error.code == .alreadySubscribed)
      }
      let secret = sluice.subscribe("secret:b")
      let id = try await peer.command().id!
      peer.sayText(Script.json(.error(id: id, ClientError(.forbidden, "not for you"))))
      do {
        for try await _ in secret {}
        Issue.record("a forbidden channel was subscribed")
      } catch let error as SluiceError {
        #expect(error == SluiceError(.forbidden, "not for you"))
      }
      // The other one goes on.
      peer.sayText(Script.message(5))
      var events = first.makeAsyncIterator()
      _ = try await events.next()
    }
  }

  @Test func saysHowItIsConnected() async throws {
    try await ScriptedServer.run { server in
      let sluice = try server.sluice()
      var states = sluice.connections.makeAsyncIterator()
      #expect(await states.next() == .idle)
      let subscription = sluice.subscribe("room:a")
      let peer = try await server.socket()
      #expect(await states.next() == .connecting(.webSocket))
      #expect(await states.next() == .connected(.webSocket, node: "one"))
      peer.close()
      guard case .waiting(_, let reason)? = await states.next() else { throw Unexpected() }
      #expect(reason.contains("lost"))
      subscription.cancel()
      while let state = await states.next(), state != .idle {}
    }
  }

  @Test func asksForATokenAndForAnotherWhenItHasExpired() async throws {
    try await ScriptedServer.run { server in
      let asked = Inbox<Int>()
      let sluice = try server.sluice {
        $0.token = {
          asked.append(1)
          return "token-\(asked.all.count)"
        }
      }
      let subscription = sluice.subscribe("room:a")
      let first = try await server.peer(0)
      #expect(try await first.request().head.contains("Authorization: Bearer token-1\r\n"))
      first.say(Script.problem("401 Unauthorized", .tokenExpired))
      let second = try await server.peer(1)
      #expect(try await second.acceptWebSocket().contains("Authorization: Bearer token-2\r\n"))
      subscription.cancel()
    }
  }
}
