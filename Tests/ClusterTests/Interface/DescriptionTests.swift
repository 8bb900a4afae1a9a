import Foundation
import NIOCore
import SluiceClient
import Testing

extension ClusterTests {
  /// A real node, held to the description that it serves by schemathesis: right and wrong requests to every
  /// operation, always the same ones, and every answer against its schema, headers and status.
  @Suite struct DescriptionTests {
    /// Runs it in the package's folder, to which the configuration's paths are relative, on a copy of the
    /// description: it would leave out the path that it has read it from.
    private func check(_ endpoint: Endpoint) async throws {
      let cluster = try await ClusterTests.cluster()
      let copy = "\(cluster.directory)/described-\(endpoint.port).json"
      let description = try await HTTP.get(endpoint, "/v1/openapi.json")
      try description.text.write(toFile: copy, atomically: true, encoding: .utf8)
      let operations = try await Descriptions.read(endpoint).flatMap(\.methods).count
      let program = "\(Cluster.root)/.build/python/bin/st"
      try #require(
        FileManager.default.isExecutableFile(atPath: program),
        "there is no \(program): Tests/run installs it"
      )
      let outcome = try await Shell.run(
        [
          "env", "--chdir", Cluster.root, program, "--config-file", "Tests/Description/schemathesis.toml",
          "run", copy, "--url", "http://\(endpoint.host):\(endpoint.port)",
        ],
        in: cluster.directory
      )
      #expect(outcome.status == 0, "\(outcome.output)")
      let tested = outcome.output.firstMatch(of: /Tested: ([0-9]+)/).flatMap { Int($0.1) }
      #expect(tested == operations, "\(outcome.output)")
    }

    @Test func clientsGetWhatIsDescribed() async throws {
      try await check(try await ClusterTests.cluster().node(0))
    }

    @Test func operatorsGetWhatIsDescribed() async throws {
      try await check(try await ClusterTests.cluster().operating(1))
    }
  }

  /// What a node says of its paths.
  enum Descriptions {
    struct Path {
      let pattern: String
      /// In upper case.
      let methods: [String]

      /// A path that the pattern matches.
      var example: String {
        pattern.replacing("{channel}", with: "room:paths").replacing("{node}", with: "nobody")
      }
    }

    static func read(_ endpoint: Endpoint) async throws -> [Path] {
      let answer = try await HTTP.get(endpoint, "/v1/openapi.json")
      let document = try JSONSerialization.jsonObject(with: Data(answer.body.readableBytesView))
      let paths = try #require((document as? [String: Any])?["paths"] as? [String: [String: Any]])
      return paths.map { pattern, item in
        let methods = ["get", "put", "post", "delete", "patch"].filter { item[$0] != nil }
        return Path(pattern: pattern, methods: methods.map { $0.uppercased() })
      }
    }
  }
}
