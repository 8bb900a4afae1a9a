import Admission
import Foundation
import Testing
import Wire

/// Keys of every kind, made by openssl, and their public halves as JSON Web Keys (RFC 7517), taken from what openssl
/// says of them.
struct KeyPairs {
  /// By the name that is their `kid`.
  private(set) var keys: [String: TokenKey] = [:]
  private(set) var jwks: [String: String] = [:]

  /// Makes a key of each kind.
  init(in folder: String) async throws {
    let kinds = [
      ("rsa", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"),
      ("ec", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256"),
      ("ed", "-algorithm ED25519"),
    ]
    for (name, options) in kinds {
      let path = "\(folder)/pair-\(name)-\(UInt32.random(in: .min ... .max))"
      try await KeyPairs.openssl(
        "openssl genpkey \(options) -out \(path).pem && openssl pkey -in \(path).pem -pubout -outform DER -out \(path).der",
        in: folder
      )
      var key = try #require(TokenKey.read(Array(try Data(contentsOf: URL(filePath: "\(path).pem")))).first)
      key.id = name
      keys[name] = key
      let der = Array(try Data(contentsOf: URL(filePath: "\(path).der")))
      jwks[name] = try await KeyPairs.jwk(of: der, key.algorithm, name, path, folder)
    }
    let secret = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
    let jwk = #"{"kty":"oct","alg":"HS256","kid":"oct","k":"\#(Base64URL.encode(secret))"}"#
    let key = try #require(TokenKey.read(Array(jwk.utf8)).first)
    keys["oct"] = key
    jwks["oct"] = jwk
  }

  /// All of them, as a server has them.
  var set: String { "{\"keys\":[\(jwks.values.joined(separator: ","))]}" }

  /// Of an elliptic curve the last bytes of a public key are its coordinates (RFC 5480 section 2.2, RFC 8410
  /// section 4).
  private static func jwk(
    of der: [UInt8],
    _ algorithm: TokenAlgorithm,
    _ name: String,
    _ path: String,
    _ folder: String
  ) async throws -> String {
    switch algorithm {
    case .rs256:
      let said = try await openssl("openssl rsa -in \(path).pem -noout -modulus", in: folder)
      let hex = try #require(said.firstMatch(of: /Modulus=([0-9A-F]+)/)).1
      let bytes = stride(from: 0, to: hex.count, by: 2).compactMap { offset in
        UInt8(hex.dropFirst(offset).prefix(2), radix: 16)
      }
      return #"{"kty":"RSA","use":"sig","kid":"\#(name)","n":"\#(Base64URL.encode(bytes))","e":"AQAB"}"#
    case .es256:
      let (x, y) = (Base64URL.encode(der.suffix(64).prefix(32)), Base64URL.encode(der.suffix(32)))
      return #"{"kty":"EC","crv":"P-256","alg":"ES256","kid":"\#(name)","x":"\#(x)","y":"\#(y)"}"#
    case .eddsa:
      return #"{"kty":"OKP","crv":"Ed25519","kid":"\#(name)","x":"\#(Base64URL.encode(der.suffix(32)))"}"#
    case .hs256: throw Shell.Failed(description: "a secret has no public half")
    }
  }

  @discardableResult
  private static func openssl(_ command: String, in folder: String) async throws -> String {
    let outcome = try await Shell.run(["bash", "-c", command], in: folder)
    guard outcome.status == 0 else { throw Shell.Failed(description: "\(command): \(outcome.output)") }
    return outcome.output
  }
}
