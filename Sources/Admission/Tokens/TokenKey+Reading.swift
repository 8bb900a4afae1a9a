import JWTKit
import Wire

extension TokenKey {
  /// Keys of one file or set, at the most.
  public static let mostKeys = 32
  /// RSA keys below are refused, in bits (RFC 7518 section 3.3), and secrets below, in bytes (section 3.2).
  static let leastModulus = 2_048
  static let mostModulus = 8_192
  /// Characters of a modulus in base64url, and of what belongs to it: more than the largest key has.
  private static let longestNumber = 1_400
  static let leastSecret = 32

  /// The keys that a file holds: PEM, a JSON Web Key (set), or a secret of at least 32 bytes, to whose end a line break
  /// does not belong.
  public static func read(_ bytes: [UInt8]) throws(TokenKeyFailure) -> [TokenKey] {
    let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0d).contains($0) }
    let start = bytes.drop(while: isSpace)
    if start.first == UInt8(ascii: "{") { return try read(keySet: bytes) }
    let text = String(decoding: bytes, as: UTF8.self)
    if text.contains("-----BEGIN ") { return try read(pem: text) }
    let starts = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "---- BEGIN SSH2 "]
    let isOfSSH = starts.contains { start.starts(with: $0.utf8) }
    var secret = bytes[...]
    while let last = secret.last, last == 0x0a || last == 0x0d { secret.removeLast() }
    // Everybody may know such a key: it must not be taken for a secret.
    if let form = isOfSSH ? "in the form of OpenSSH" : isDER(Array(secret)) ? "in DER" : nil {
      throw TokenKeyFailure("a key \(form): give it as PEM or as a JSON Web Key")
    }
    guard secret.count >= leastSecret else {
      throw TokenKeyFailure(
        "neither PEM nor a JSON Web Key, and for a secret it is too short: \(secret.count) bytes, at least \(leastSecret)"
      )
    }
    return [TokenKey(secret: Array(secret))]
  }

  /// Whether a file begins as a sequence of ASN.1 does, of one or two bytes of length or as long as the file. What looks
  /// like a line break at its end is taken off, and may have been the key's.
  private static func isDER(_ bytes: [UInt8]) -> Bool {
    guard bytes.count > 2, bytes[0] == 0x30 else { return false }
    // A text may begin like the short form, which no key has without a byte that is none of a text.
    let isText = bytes.allSatisfy { (0x09...0x0d).contains($0) || (0x20...0x7e).contains($0) }
    let isAsLong = (bytes.count...bytes.count + 4).contains(Int(bytes[1]) + 2)
    return bytes[1] == 0x81 || bytes[1] == 0x82 || (!isText && isAsLong)
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
    try checkLength(ofModulus: modulus)
  }

  private static func checkLength(ofModulus modulus: some Collection<UInt8>) throws(TokenKeyFailure) {
    let bits = modulus.drop { $0 == 0 }.count * 8
    guard bits >= leastModulus else {
      throw TokenKeyFailure("an RSA key of \(bits) bits: at least \(leastModulus)")
    }
    guard bits <= mostModulus else {
      throw TokenKeyFailure("an RSA key of \(bits) bits: at most \(mostModulus)")
    }
  }

  // MARK: JSON Web Keys

  /// - Parameter secret: the private exponent; nil for a public key.
  static func jwk(
    rsa modulus: String,
    _ exponent: String,
    _ secret: String?,
    _ id: String?
  ) throws(TokenKeyFailure) -> TokenKey {
    guard [modulus, exponent, secret ?? ""].allSatisfy({ $0.utf8.count <= longestNumber }) else {
      throw TokenKeyFailure("an RSA key of too many bits: at most \(mostModulus)")
    }
    // No product of two odd primes is even, and the arithmetic behind a private key ends the process at one that is.
    let digits = modulus.utf8.prefix { $0 != UInt8(ascii: "=") }
    guard let number = Base64URL.decode(Array(digits)), number.last?.isMultiple(of: 2) == false else {
      throw TokenKeyFailure("a broken RSA key")
    }
    try checkLength(ofModulus: number)
    if let secret,
      let key = try? JWTKit.Insecure.RSA.PrivateKey(
        modulus: modulus,
        exponent: exponent,
        privateExponent: secret
      )
    {
      return try rsa(key, id)
    }
    guard let key = try? JWTKit.Insecure.RSA.PublicKey(modulus: modulus, exponent: exponent) else {
      throw TokenKeyFailure("a broken RSA key")
    }
    return try rsa(key, id)
  }
}
