import Crypto
import JWTKit
import NIOCore
import Wire

extension TokenKey {
  /// The keys of a JSON Web Key, or of a set of them (RFC 7517), that tokens here can be verified with. Others in a
  /// set, for encryption or of another kind, are passed over.
  /// - Parameters:
  ///   - publicOnly: private halves are passed over: a made-up one can keep whoever completes it busy for ever.
  ///   - broken: hears of keys of a set that are of no use, and passed over too; without it they are thrown.
  public static func read(
    keySet bytes: [UInt8],
    publicOnly: Bool = false,
    broken: ((TokenKeyFailure) -> Void)? = nil
  ) throws(TokenKeyFailure) -> [TokenKey] {
    let object: JSONObject
    do {
      object = try JSONObject(ByteBuffer(bytes: bytes))
    } catch {
      throw TokenKeyFailure("not a JSON Web Key set: \(error)")
    }
    guard let members = object["keys"] else {
      guard let key = try key(of: object, publicOnly) else {
        throw TokenKeyFailure("its key is of no use here")
      }
      return [key]
    }
    guard let elements = members.elements else { throw TokenKeyFailure("keys: expected an array") }
    guard elements.count <= mostKeys else {
      throw TokenKeyFailure("\(elements.count) keys: \(mostKeys) at most")
    }
    var keys: [TokenKey] = []
    for element in elements {
      do throws(TokenKeyFailure) {
        guard let object = element.object else { throw TokenKeyFailure("keys: expected objects") }
        if let key = try key(of: object, publicOnly) { keys.append(key) }
      } catch {
        guard let broken else { throw error }
        broken(error)
      }
    }
    guard !keys.isEmpty else { throw TokenKeyFailure("it has no key for HS256, RS256, ES256 or EdDSA") }
    return keys
  }

  /// Nil for a key that is for something else.
  private static func key(of object: JSONObject, _ publicOnly: Bool) throws(TokenKeyFailure) -> TokenKey? {
    if let use = object["use"]?.string, use != "sig" { return nil }
    if let acts = object["key_ops"]?.elements?.compactMap(\.string),
      !acts.contains("verify"), !acts.contains("sign")
    {
      return nil
    }
    let id = object["kid"]?.string
    if let id, id.utf8.count > UncheckedToken.longestKeyID { throw TokenKeyFailure("a kid is too long") }
    let algorithm = object["alg"]?.string
    let half = publicOnly ? nil : object["d"]
    switch object["kty"]?.string {
    case "RSA":
      guard algorithm == nil || algorithm == "RS256" else { return nil }
      return try jwk(rsa: object["n"]?.string ?? "", object["e"]?.string ?? "", half?.string, id)
    case "EC":
      guard algorithm == nil || algorithm == "ES256", object["crv"]?.string == "P-256" else { return nil }
      let parameters = (object["x"]?.string ?? "", object["y"]?.string ?? "")
      if let secret = half?.string, let key = try? ES256PrivateKey(key: secret) {
        return TokenKey(id: id, material: .ecdsaPrivate(key))
      }
      guard let key = try? ES256PublicKey(parameters: parameters) else {
        throw TokenKeyFailure("a broken P-256 key")
      }
      return TokenKey(id: id, material: .ecdsa(key))
    case "OKP":
      guard algorithm == nil || algorithm == "EdDSA" || algorithm == "Ed25519",
        object["crv"]?.string == "Ed25519"
      else { return nil }
      if let secret = bytes(half),
        let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: secret)
      {
        return TokenKey(id: id, material: .eddsaPrivate(EdDSA.PrivateKey(backing: key)))
      }
      guard let x = bytes(object["x"]), let key = try? Curve25519.Signing.PublicKey(rawRepresentation: x)
      else {
        throw TokenKeyFailure("a broken Ed25519 key")
      }
      return TokenKey(id: id, material: .eddsa(EdDSA.PublicKey(backing: key)))
    case "oct":
      guard algorithm == nil || algorithm == "HS256" else { return nil }
      guard let secret = bytes(object["k"]), secret.count >= leastSecret else {
        throw TokenKeyFailure("a secret of less than \(leastSecret) bytes")
      }
      return TokenKey(id: id, material: .secret(SymmetricKey(data: secret)))
    default:
      return nil
    }
  }

  private static func bytes(_ field: JSONField?) -> [UInt8]? {
    field?.string.flatMap { Base64URL.decode(Array($0.utf8)) }
  }
}
