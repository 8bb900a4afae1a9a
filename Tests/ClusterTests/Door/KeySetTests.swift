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
            "/v1/channels/hall:a/messages",
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
  }
}
