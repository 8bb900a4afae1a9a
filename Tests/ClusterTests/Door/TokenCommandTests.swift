import Foundation
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

#if canImport(Glibc)
  import Glibc
#endif

extension ClusterTests {
  /// `sluice token`, and what a node says and takes of tokens.
  @Suite struct TokenCommandTests {
    private func token(_ arguments: [String]) async throws -> Shell.Outcome {
      let cluster = try await ClusterTests.cluster()
      return try await Shell.run([cluster.binary, "token"] + arguments, in: cluster.directory)
    }

    private func made(_ arguments: String...) async throws -> String {
      let outcome = try await token(["make"] + arguments)
      try #require(outcome.status == 0, "\(outcome.output)")
      return outcome.output.trimmingCharacters(in: .newlines)
    }

    private func read(_ node: LoneNode, _ channel: String, by token: String) async throws -> HTTPResponse {
      try await HTTP.get(
        node.endpoint,
        "/v1/channels/\(channel)/messages",
        headers: ["Authorization": "Bearer \(token)"]
      )
    }

    @Test func aTokenThatIsMadeIsTakenByTheNodeItIsMeantFor() async throws {
      let cluster = try await ClusterTests.cluster()
      let secret = try DoorKeys(cluster).path
      let options = ["--token-audience", "shop,stock", "--token-issuer", "https://id.example"]
      try await DoorKeys.withNode(options: options) { node in
        let good = try await made(
          "--key",
          secret,
          "--sub",
          "ada",
          "--subscribe",
          "room:*",
          "--audience",
          "other",
          "--audience",
          "stock",
          "--issuer",
          "https://id.example",
          "--info",
          #"{"n":1}"#
        )
        #expect(try await read(node, "room:a", by: good).status == .ok)
        // Its rights are those that were asked for.
        #expect(try await read(node, "stage:a", by: good).status == .forbidden)
        let elsewhere = try await made(
          "--key",
          secret,
          "--subscribe",
          "room:*",
          "--audience",
          "other",
          "--issuer",
          "https://id.example"
        )
        let others = try await made(
          "--key",
          secret,
          "--subscribe",
          "room:*",
          "--audience",
          "shop",
          "--issuer",
          "https://else.example"
        )
        let nobodys = try await made("--key", secret, "--subscribe", "room:*")
        for token in [elsewhere, others, nobodys] {
          let answer = try await read(node, "room:a", by: token)
          #expect(answer.status == .unauthorized && answer.problem == "unauthorized")
          #expect(answer.headers.first(name: "WWW-Authenticate")?.contains("invalid_token") == true)
        }
        try await inspect(good, secret)
      }
    }

    private func inspect(_ good: String, _ secret: String) async throws {
      let shown = try await token(["inspect", "--key", secret, "--audience", "stock", "--json", good])
      #expect(shown.status == 0, "\(shown.output)")
      let object = try JSONObject(ByteBuffer(string: shown.output.trimmingCharacters(in: .newlines)))
      #expect(object["verified"]?.bool == true)
      #expect(object["header"]?.object?["alg"]?.string == "HS256")
      let claims = try #require(object["claims"]?.object)
      #expect(claims["sub"]?.string == "ada" && claims["iss"]?.string == "https://id.example")
      #expect(claims["aud"]?.elements?.compactMap(\.string) == ["other", "stock"])
      #expect(claims["info"]?.object?["n"]?.integer == 1)
      let table = try await token(["inspect", "--key", secret, good])
      #expect(table.status == 0 && table.output.contains("verdict     good"), "\(table.output)")
      #expect(table.output.contains("subscribe   room:*"))
      // Without a key nothing is promised; what is wrong is said, and in the exit code.
      #expect(try await token(["inspect", good]).output.contains("not verified"))
      let forged = String(good.dropLast(6)) + "AAAAAA"
      for (arguments, fault) in [
        (["--key", secret, forged], "refused"), (["--key", secret, "--audience", "stable", good], "refused"),
        (["a.b.c"], "no token"),
      ] {
        let outcome = try await token(["inspect"] + arguments)
        #expect(outcome.status == 1 && outcome.output.contains(fault), "\(outcome.output)")
      }
      let bad = try await token(["make", "--key", secret, "--expires", "soon"])
      #expect(bad.status == 1 && bad.output.contains("--expires"), "\(bad.output)")
    }

    /// Who serves whom is the first thing that an operator reads.
    @Test func whoIsServedIsSaidLoudlyAtStart() async throws {
      let cluster = try await ClusterTests.cluster()
      let secret = try DoorKeys(cluster).path
      let cases: [(options: [String], line: String?, level: String, status: HTTPResponseStatus)] = [
        ([], "THERE ARE NO TOKEN KEYS", "WARNING", .ok),
        (["--anonymous", "deny"], "EVERY CLIENT IS REFUSED", "WARNING", .unauthorized),
        (
          ["--token-keys", secret, "--anonymous", "allow"], "clients without a token are served", "NOTICE",
          .ok
        ),
        (["--token-keys", secret], nil, "", .unauthorized),
      ]
      for (number, expected) in cases.enumerated() {
        let ports = try FreePorts.pick(2)
        let log = "\(cluster.directory)/logs/loud-\(number)-\(ports[0]).log"
        let node = try ChildProcess(
          [
            cluster.binary, "serve", "--listen", "127.0.0.1:\(ports[0])", "--operator-listen",
            "127.0.0.1:\(ports[1])",
          ] + expected.options,
          output: log
        )
        defer { if node.exitStatus == nil { kill(node.pid, SIGKILL) } }
        let endpoint = Endpoint(host: "127.0.0.1", port: ports[0])
        let answer = try await eventually("a node, \(expected.options)") {
          try? await HTTP.get(endpoint, "/v1/channels/a/messages")
        }
        #expect(answer.status == expected.status, "\(expected.options)")
        // It serves a moment before it says so.
        let lines = try await eventually("where clients connect") {
          let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
          return lines.contains { $0.contains("clients connect here") } ? lines : nil
        }
        let loud = lines.filter { line in
          ["TOKEN KEYS", "IS REFUSED", "without a token"].contains { line.contains($0) }
        }
        guard let line = expected.line else {
          #expect(loud.isEmpty)
          continue
        }
        #expect(loud.count == 1 && loud.first?.contains(line) == true, "\(lines)")
        #expect(loud.first?.uppercased().contains(expected.level) == true, "\(loud)")
        // Before it says where clients connect.
        let first = try #require(lines.firstIndex { $0.contains(line) })
        let listens = try #require(lines.firstIndex { $0.contains("clients connect here") })
        #expect(first < listens)
      }
    }
  }
}
