import Admission
import Foundation
import NIOCore
import NIOHTTP1
import Testing
import Transports
import Wire

@testable import GatewayNode

/// What each listener says of itself, against what it serves.
@Suite struct DescriptionTests {
  /// The operations of a description, as `GET /path`.
  private func operations(of body: ByteBuffer) throws -> Set<String> {
    let document = try document(body)
    let paths = try #require(document["paths"] as? [String: [String: Any]])
    let methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]
    return Set(
      paths.flatMap { path, item in
        item.keys.filter(methods.contains).map { "\($0.uppercased()) \(path)" }
      }
    )
  }

  private func document(_ body: ByteBuffer) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(body.readableBytesView)) as? [String: Any])
  }

  @Test func everyRouteIsDescribedAndNothingElse() async throws {
    try await RunningNode.with { running in
      var pages = RouteTable()
      PageRoutes.add(to: &pages)
      let clients = Set(try await running.node.clients.server.patterns().map(\.description))
      let described = try operations(of: try await running.askAsClient(.GET, "/v1/openapi.json").body)
      #expect(described == clients.subtracting(pages.patterns.map(\.description)))
      let operators = Set(try await running.node.operators.patterns().map(\.description))
      #expect(try operations(of: try await running.ask(.GET, "/v1/openapi.json").body) == operators)
    }
  }

  @Test func itHasTheVersionOfTheProgramAndAValidator() async throws {
    try await RunningNode.with { running in
      for answer in [
        try await running.ask(.GET, "/v1/openapi.json"),
        try await running.askAsClient(.GET, "/v1/openapi.json"),
      ] {
        #expect(answer.status == .ok)
        #expect(answer.headers.first(name: "Content-Type") == "application/json")
        #expect(answer.headers.first(name: "ETag")?.hasPrefix("\"") == true)
        let document = try document(answer.body)
        #expect(document["openapi"] as? String == "3.1.0")
        #expect((document["info"] as? [String: Any])?["version"] as? String == Version.text)
      }
    }
  }

  /// Every code of the one table is in both, and no other.
  @Test func itHasEveryErrorCode() throws {
    for description in [Description.ofClientListener, Description.ofOperatorListener] {
      let components = try document(description.body.bytes)["components"] as? [String: Any]
      let code = (components?["schemas"] as? [String: [String: Any]])?["ErrorCode"]
      #expect(code?["enum"] as? [String] == ErrorCode.allCases.map(\.rawValue))
    }
  }

  @Test func theOperatorsAsksForTheKey() async throws {
    let key = "0123456789abcdef"
    try await RunningNode.with(settings: {
      $0.operatorKeys = [OperatorKey(key)]
    }) { running in
      let refused = try await running.ask(.GET, "/v1/openapi.json")
      #expect(refused.status == .unauthorized)
      let answered = try await running.ask(.GET, "/v1/openapi.json", key: key)
      #expect(answered.status == .ok)
    }
  }
}
