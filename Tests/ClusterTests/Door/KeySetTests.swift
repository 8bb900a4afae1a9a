import Admission
import Foundation
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing

#if canImport(Glibc)
  import Glibc
#endif

extension ClusterTests {
  /// Keys that are had from a URL.
  @Suite struct KeySetTests {
    private func key(_ name: String) throws -> TokenKey {
      var key = try #require(
        TokenKey.read(Array("the secret called \(name), long enough for HS256".utf8)).first
      )
      key.id = name
      return key
    }

    /// The set that has the keys of these names.
    private func set(_ names: String...) -> String {
      let keys = names.map { name in
        let secret = Data("the secret called \(name), long enough for HS256".utf8).base64EncodedString()
        let text = secret.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        return #"{"kty":"oct","alg":"HS256","kid":"\#(name)","k":"\#(text)"}"#
      }
      return "{\"keys\":[\(keys.joined(separator: ","))]}"
    }

    @Test func keysAreFollowedAndKeptWhileTheirPlaceIsSilent() async throws {
      let cluster = try await ClusterTests.cluster()
      let folder = "\(cluster.directory)/keys"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try set("one").write(toFile: "\(folder)/jwks.json", atomically: true, encoding: .utf8)
      let port = try FreePorts.pick(1)[0]
      let server = try ChildProcess(
        ["python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", folder, "\(port)"]
      )
      defer { if server.exitStatus == nil { kill(server.pid, SIGKILL) } }
      let place = Endpoint(host: "127.0.0.1", port: port)
      try await eventually("the keys' server") {
        (try? await HTTP.get(place, "/jwks.json"))?.status == .ok
      }
      try await LoneNode.run(["--token-jwks-url", "http://127.0.0.1:\(port)/jwks.json"]) { node in
        let ask = { (token: String) in
          try await HTTP.get(
            node.endpoint,
            "/v1/channels/room:a/messages",
            headers: ["Authorization": "Bearer \(token)"]
          ).status
        }
        let one = try await DoorKeys.token(key: try key("one"))
        let two = try await DoorKeys.token(key: try key("two"))
        #expect(try await ask(one) == .ok)
        #expect(try await ask(two) == .unauthorized)
        // A name that is not known has the keys asked for again, though not more often than every ten seconds.
        try set("one", "two").write(toFile: "\(folder)/jwks.json", atomically: true, encoding: .utf8)
        try await eventually("the new key", within: .seconds(30), every: .milliseconds(250)) {
          try await ask(two) == .ok
        }
        #expect(try await ask(one) == .ok)
        kill(server.pid, SIGKILL)
        _ = try await server.exit(within: .seconds(10))
        #expect(try await ask(try await DoorKeys.token(key: try key("three"))) == .unauthorized)
        #expect(try await ask(one) == .ok)
        #expect(try await ask(try await DoorKeys.token("fresh", key: try key("two"))) == .ok)
      }
    }

    private func ask(_ node: LoneNode, with token: String) async throws -> HTTPResponseStatus {
      try await HTTP.get(
        node.endpoint,
        "/v1/channels/room:a/messages",
        headers: ["Authorization": "Bearer \(token)"]
      ).status
    }

    @Test func keysOfEveryKindAreHadFromAnAddress() async throws {
      let folder = try await ClusterTests.cluster().directory
      let (pairs, others) = try await (KeyPairs(in: folder), KeyPairs(in: folder))
      let place = try await KeyPlace(pairs.set)
      try await LoneNode.run(["--token-jwks-url", place.url]) { node in
        for (name, key) in pairs.keys {
          let token = try await DoorKeys.token(name, key: key)
          #expect(try await ask(node, with: token) == .ok, "\(name)")
          let socket = try await Socket(to: node.endpoint, headers: ["Authorization": "Bearer \(token)"])
          let user = try await socket.event("welcome") { event -> String?? in
            if case .welcome(_, _, let user, _) = event { .some(user) } else { nil }
          }
          #expect(user == name)
          socket.abort()
          // For one that names no key those of its algorithm are tried.
          var nameless = key
          nameless.id = nil
          #expect(try await ask(node, with: DoorKeys.token(key: nameless)) == .ok, "\(name)")
          // Another key of that kind under the same name, and the same key under the name of another kind.
          let forger = try #require(others.keys[name])
          let forged = try await DoorKeys.token(key: forger)
          #expect(try await ask(node, with: forged) == .unauthorized, "\(name)")
          for (other, _) in pairs.keys where other != name {
            var disguised = key
            disguised.id = other
            let status = try await ask(node, with: DoorKeys.token(key: disguised))
            #expect(status == .unauthorized, "\(name) as \(other)")
          }
        }
      }
      try await place.stop()
    }

    /// What is no set, though the new key is in most of them.
    private func noSets(_ set: String, at origin: String) -> [(what: String, answer: KeyPlace.Answer)] {
      var moved = KeyPlace.Answer(status: .found, body: set)
      moved.headers.add(name: "Location", value: "\(origin)/elsewhere.json")
      let useless = #"{"keys":[{"kty":"RSA","kid":"two","n":"AQAB","e":"AQAB"},{"kty":"oct","k":"c2hvcnQ"}]}"#
      return [
        ("a set over the limit", KeyPlace.Answer(body: set + String(repeating: " ", count: 300_000))),
        ("a redirect", moved),
        ("a broken set", KeyPlace.Answer(body: String(set.dropLast()))),
        ("a set of broken keys", KeyPlace.Answer(body: useless)),
      ]
    }

    private func staysWithItsKeys(_ kind: Int) async throws {
      let place = try await KeyPlace(set("one"))
      let (what, answer) = noSets(set("one", "two"), at: place.origin)[kind]
      let (one, two) = try await (DoorKeys.token(key: key("one")), DoorKeys.token(key: key("two")))
      try await LoneNode.run(["--token-jwks-url", place.url]) { node in
        #expect(try await ask(node, with: one) == .ok)
        place.answers(answer)
        let before = place.asked.count
        // The name of a new key has the set asked for, ten seconds after it was the last time.
        try await eventually("a question after \(what)", within: .seconds(30), every: .milliseconds(250)) {
          let status = try await ask(node, with: two)
          #expect(status == .unauthorized, "\(what)")
          return place.asked.count > before
        }
        #expect(try await ask(node, with: two) == .unauthorized, "\(what)")
        #expect(try await ask(node, with: one) == .ok, "\(what)")
        let another = try await DoorKeys.token("fresh", key: key("one"))
        #expect(try await ask(node, with: another) == .ok, "\(what)")
        #expect(place.asked.allSatisfy { $0 == "/jwks.json" }, "\(what): \(place.asked)")
        place.answers(KeyPlace.Answer(body: set("one", "two")))
        try await eventually("a set after \(what)", within: .seconds(30), every: .milliseconds(250)) {
          try await ask(node, with: two) == .ok
        }
        #expect(try await ask(node, with: one) == .ok, "\(what)")
      }
      try await place.stop()
    }

    @Test func whatIsNoSetLeavesTheOldKeysInUse() async throws {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for kind in 0..<4 { group.addTask { try await staysWithItsKeys(kind) } }
        try await group.waitForAll()
      }
    }
  }
}
