import Foundation
import NIOCore
import SluiceClient
import Testing
import Wire

#if canImport(Glibc)
  import Glibc
#endif

extension ClusterTests {
  /// `sluice subscribe`.
  @Suite struct SubscribeCommandTests {
    /// What a command has printed to both of its outputs.
    private func lines(_ path: String) throws -> [String] {
      try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    @Test(arguments: ["websocket", "sse", "long-poll", "short-poll"])
    func printsEachMessageOnceOverTheRestartOfANode(_ transport: String) async throws {
      let cluster = try await ClusterTests.cluster()
      let path = "\(cluster.directory)/subscribe-\(transport)"
      let channel = "room:cli-\(transport)"
      let command = try ChildProcess(
        [
          cluster.binary, "subscribe", channel, "--since", "start", "--json", "--transport", transport,
          "--url",
          "http://127.0.0.1:\(cluster.node(1).port)",
        ],
        output: path
      )
      try await eventually("a connection") { try lines(path).contains { $0.contains("over \(transport)") } }
      _ = try await HTTP.publish(channel, "1", to: cluster.node(0))
      try await eventually("the first message") { try lines(path).contains { $0.hasPrefix("{") } }
      try await cluster.kill9("gateway-2")
      _ = try await HTTP.publish(channel, "2", to: cluster.node(0))
      try await cluster.up()
      _ = try await HTTP.publish(channel, "3", to: cluster.node(0))
      let data = {
        try lines(path).filter { $0.hasPrefix("{") }.map { try ServerEvent(parsing: ByteBuffer(string: $0)) }
      }
      try await eventually("the third message", within: .seconds(40)) { try data().count >= 3 }
      let printed = try data().compactMap { event -> String? in
        if case .message(_, _, let data, _, _) = event { String(buffer: data) } else { nil }
      }
      #expect(printed == ["1", "2", "3"])
      kill(command.pid, SIGINT)
      let status = try await command.exit(within: .seconds(10))
      #expect(status == 0)
    }

    @Test func tellsPeopleOfGapsAndOfMembers() async throws {
      let cluster = try await ClusterTests.cluster()
      let path = "\(cluster.directory)/subscribe-people"
      let command = try ChildProcess(
        [
          cluster.binary, "subscribe", "room:cli-people", "--since", "zzzzzzzz.4", "--presence", "watch",
          "--url",
          "http://127.0.0.1:\(cluster.node(0).port)/",
        ],
        output: path
      )
      try await eventually("the gap") {
        try lines(path).contains { $0.contains("GAP in room:cli-people") && $0.contains("(reset)") }
      }
      let socket = try await Socket(to: cluster.node(1))
      let member = try await socket.welcome().session.member
      try await socket.subscribe("room:cli-people", presence: .join)
      try await eventually("the join") { try lines(path).contains { $0.hasSuffix("+ \(member)") } }
      _ = try await HTTP.publish("room:cli-people", #"{"text":"hi"}"#, to: cluster.node(0))
      try await eventually("the message") { try lines(path).contains { $0.hasSuffix(#"  {"text":"hi"}"#) } }
      socket.abort()
      kill(command.pid, SIGTERM)
      let status = try await command.exit(within: .seconds(10))
      #expect(status == 0)
    }

    /// U+009B begins a command to a terminal, as an escape and a bracket do.
    @Test(arguments: [[], ["--json"]])
    func whatIsPublishedCommandsNoTerminal(_ options: [String]) async throws {
      let cluster = try await ClusterTests.cluster()
      let path = "\(cluster.directory)/subscribe-controls\(options.joined())"
      let channel = "room:cli-controls\(options.joined())"
      _ = try await HTTP.publish(channel, "[\t\"a\u{9b}31m\u{7f}\u{2028}ü\" ]", to: cluster.node(0))
      let command = try ChildProcess(
        [
          cluster.binary, "subscribe", channel, "--since", "start", "--url",
          "http://127.0.0.1:\(cluster.node(0).port)",
        ] + options,
        output: path
      )
      try await eventually("the message") {
        try lines(path).contains { $0.contains("[\t" + #""a\u009b31m\u007f\u2028ü" ]"#) }
      }
      kill(command.pid, SIGTERM)
      #expect(try await command.exit(within: .seconds(10)) == 0)
    }

    @Test func saysWhatItDoesNotUnderstand() async throws {
      let cluster = try await ClusterTests.cluster()
      for (arguments, words) in [
        (["room:a", "--since", "yesterday"], "--since"), (["room:a", "--transport", "pigeon"], "long-poll"),
        (["room:a", "--presence", "maybe"], "watch"), (["room:a", "--url", "https://x"], "http://HOST:PORT"),
        (["no channel", "--url", "http://127.0.0.1:\(cluster.node(0).port)"], "no channel"),
      ] {
        let outcome = try await Shell.run([cluster.binary, "subscribe"] + arguments, in: cluster.directory)
        #expect(outcome.status != 0 && outcome.output.contains(words), "\(outcome.output)")
      }
    }
  }
}
