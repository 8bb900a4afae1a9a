import JWTKit

extension TokenKey {
  /// Keys of one file or set, at the most.
  public static let mostKeys = 32
  /// RSA keys below are refused, in bits (RFC 7518 section 3.3), and secrets below, in bytes (section 3.2).
  static let leastModulus = 2_048
  static let leastSecret = 32

  /// The keys that a file holds: PEM, a JSON Web Key (set), or a secret of at least 32 bytes, to whose end a line break
  /// does not belong.
  public static func read(_ bytes: [UInt8]) throws(TokenKeyFailure) -> [TokenKey] {
    let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0d).contains($0) }
    let start = bytes.drop(while: isSpace)
    if start.first == UInt8(ascii: "{") { return try read(keySet: bytes) }
    let text = String(decoding: bytes, as: UTF8.self)
    if text.contains("-----BEGIN ") { return try read(pem: text) }
    var secret = bytes[...]
    while let last = secret.last, last == 0x0a || last == 0x0d { secret.removeLast() }
    guard secret.count >= leastSecret else {
      throw TokenKeyFailure(
        "neither PEM nor a JSON Web Key, and for a secret it is too short: \(secret.count) bytes, at least \(leastSecret)"
      )
    }
    return [TokenKey(secret: Array(secret))]
  }

  // MARK: PEM

  private static func read(pem text: String) throws(TokenKeyFailure) -> [TokenKey] {
    var keys: [TokenKey] = []
    var rest = text[...]
    while let begin = rest.firstRange(of: "-----BEGIN ") {
      let after = rest[begin.upperBound...]
      guard let dashes = after.firstRange(of: "-----") else { throw TokenKeyFailure("a broken PEM header") }
      let label = String(after[..<dashes.lowerBound])
      guard let end = after.firstRange(of: "-----END \(label)-----") else {
        throw TokenKeyFailure("the PEM block \(label) has no end")
      }
      // What openssl writes before a private key of a named curve says nothing more.
      if label != "EC PARAMETERS" {
        keys.append(try key(ofPEM: String(rest[begin.lowerBound..<end.upperBound]), label: label))
      }
      rest = after[end.upperBound...]
      guard keys.count <= mostKeys else { throw TokenKeyFailure("more than \(mostKeys) keys") }
    }
    guard !keys.isEmpty else { throw TokenKeyFailure("no key in it") }
    return keys
  }

  private static func key(ofPEM pem: String, label: String) throws(TokenKeyFailure) -> TokenKey {
    if label == "CERTIFICATE" {
      if let key = try? ES256PublicKey(certificate: pem) { return TokenKey(id: nil, material: .ecdsa(key)) }
      if let key = try? JWTKit.Insecure.RSA.PublicKey(certificatePEM: pem) { return try rsa(key, nil) }
    } else if label.hasSuffix("PRIVATE KEY") {
      if let key = try? ES256PrivateKey(pem: pem) { return TokenKey(id: nil, material: .ecdsaPrivate(key)) }
      if let key = try? EdDSA.PrivateKey(pem: pem) { return TokenKey(id: nil, material: .eddsaPrivate(key)) }
      if let key = try? JWTKit.Insecure.RSA.PrivateKey(pem: pem) { return try rsa(key, nil) }
    } else {
      if let key = try? ES256PublicKey(pem: pem) { return TokenKey(id: nil, material: .ecdsa(key)) }
      if let key = try? EdDSA.PublicKey(pem: pem) { return TokenKey(id: nil, material: .eddsa(key)) }
      if let key = try? JWTKit.Insecure.RSA.PublicKey(pem: pem) { return try rsa(key, nil) }
    }
    throw TokenKeyFailure("\(label): expected a key of RSA (\(leastModulus) bits or more), P-256 or Ed25519")
  }

  private static func rsa(_ key: JWTKit.Insecure.RSA.PublicKey, _ id: String?) throws(TokenKeyFailure)
    -> TokenKey
  {
    try checkLength(of: key)
    return TokenKey(id: id, material: .rsa(key))
  }

  private static func rsa(_ key: JWTKit.Insecure.RSA.PrivateKey, _ id: String?) throws(TokenKeyFailure)
    -> TokenKey
  {
    try checkLength(of: key.publicKey)
    return TokenKey(id: id, material: .rsaPrivate(key))
  }

  private static func checkLength(of key: JWTKit.Insecure.RSA.PublicKey) throws(TokenKeyFailure) {
    guard let modulus = try? key.getKeyPrimitives().modulus else { throw TokenKeyFailure("a broken RSA key") }
    let bits = modulus.drop { $0 == 0 }.count * 8
    guard bits >= leastModulus else {
      throw TokenKeyFailure("an RSA key of \(bits) bits: at least \(leastModulus)")
    }
    guard bits <= 8_192 else { throw TokenKeyFailure("an RSA key of \(bits) bits: at most 8192") }
  }

  // MARK: JSON Web Keys

  static func jwk(rsa modulus: String, _ exponent: String, _ id: String?) throws(TokenKeyFailure) -> TokenKey
  {
    guard let key = try? JWTKit.Insecure.RSA.PublicKey(modulus: modulus, exponent: exponent) else {
      throw TokenKeyFailure("a broken RSA key")
    }
    return try rsa(key, id)
  }
}
