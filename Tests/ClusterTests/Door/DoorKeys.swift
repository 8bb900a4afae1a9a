import Admission
import Foundation
import NIOCore
import SluiceClient
import Testing
import Wire

/// A secret in a file, and tokens that are signed with it.
struct DoorKeys {
  static let secret = "a secret of more than 32 bytes, surely"
  /// Channels of `room` need a token, those of `hall` do not, and `stage` is for backends. Of the others nothing is said.
  static let namespaces = """
    namespaces:
      room: { subscribe: token, publish: token }
      hall: { subscribe: everyone, publish: everyone }
      stage: { publish: nobody, subscribe: token }
    """

  let path: String

  init(_ cluster: Cluster) throws {
    path = "\(cluster.directory)/door-\(UInt32.random(in: .min ... .max)).key"
    try DoorKeys.secret.write(toFile: path, atomically: true, encoding: .utf8)
  }

  /// - Parameter lasting: until it runs out, in seconds.
  static func token(
    _ user: String? = "ada",
    lasting: Double = 600,
    subscribe: [String] = ["room:*"],
    publish: [String] = ["room:*"],
    history: [String]? = nil,
    presence: [String]? = nil,
    key: TokenKey? = nil
  ) async throws -> String {
    let list = { (patterns: [String]) in patterns.map { "\"\($0)\"" }.joined(separator: ",") }
    var channels = "\"subscribe\":[\(list(subscribe))],\"publish\":[\(list(publish))]"
    if let history { channels += ",\"history\":[\(list(history))]" }
    if let presence { channels += ",\"presence\":[\(list(presence))]" }
    let expires = Double(WallClock.milliseconds()) / 1_000 + lasting
    let sub = user.map { "\"sub\":\"\($0)\"," } ?? ""
    let payload = "{\(sub)\"exp\":\(expires),\"info\":{\"name\":\"A\"},\"channels\":{\(channels)}}"
    return try await sign(payload, key: key)
  }

  /// A token that says just that.
  static func sign(_ payload: String, key: TokenKey? = nil) async throws -> String {
    let signing = try key ?? #require(TokenKey.read(Array(secret.utf8)).first)
    return try await TokenMaker(signing).sign(ByteBuffer(string: payload))
  }

  /// Runs a node that asks for tokens.
  static func withNode(
    _ options: String...,
    body: (LoneNode) async throws -> Void
  ) async throws {
    try await withNode(options: options, body: body)
  }

  static func withNode(options: [String], body: (LoneNode) async throws -> Void) async throws {
    let keys = try DoorKeys(try await ClusterTests.cluster())
    try await LoneNode.run(
      ["--token-keys", keys.path, "--token-leeway", "0s"] + options,
      file: namespaces,
      body
    )
  }
}
