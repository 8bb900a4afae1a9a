import Wire

@testable import Admission

extension FuzzTarget {
  /// Keys for tokens: JSON Web Key sets, as they come from elsewhere, and the other forms that a file may have.
  static let keySets = FuzzTarget(
    "key-sets",
    longest: 2_500,
    words: [
      #"{"keys":["#, #""kty":"RSA""#, #""kty":"EC""#, #""kty":"OKP""#, #""kty":"oct""#, #""crv":"P-256""#,
      #""crv":"Ed25519""#, #""alg":"ES256""#, #""use":"sig""#, #""use":"enc""#, #""key_ops":["verify"]"#,
      #""kid":"a""#, #""n":"#, #""e":"AQAB""#, #""x":"#, #""y":"#, #""d":"#, #""k":"#,
      "-----BEGIN PUBLIC KEY-----\n",
      "-----END PUBLIC KEY-----\n", "-----BEGIN EC PARAMETERS-----", "-----BEGIN CERTIFICATE-----",
    ]
  ) { input in
    let keys = KeysRead(input)
    // A file that an editor has touched holds the same keys.
    try demandSame(KeysRead(input + [0x0a]), keys, "with a line feed behind it")
    guard case .keys(let found) = keys else { return }
    try demand((1...TokenKey.mostKeys).contains(found.count), "\(found.count) keys")
    for key in found {
      try demand((key.id?.utf8.count ?? 0) <= UncheckedToken.longestKeyID, "a key's name is too long")
    }
  }
}

/// What can be compared of keys.
private enum KeysRead: Equatable {
  struct Key: Equatable {
    let id: String?
    let algorithm: TokenAlgorithm
    let canSign: Bool
  }

  case keys([Key])
  case none

  init(_ bytes: [UInt8]) {
    do {
      self = .keys(
        try TokenKey.read(bytes).map { Key(id: $0.id, algorithm: $0.algorithm, canSign: $0.canSign) }
      )
    } catch {
      self = .none
    }
  }
}
