import Crypto
import JWTKit

/// One key, and the one algorithm that it is for: no token can choose to have it used for another.
public struct TokenKey: Sendable {
  enum Material: Sendable {
    case secret(SymmetricKey)
    case rsa(JWTKit.Insecure.RSA.PublicKey)
    case rsaPrivate(JWTKit.Insecure.RSA.PrivateKey)
    case ecdsa(ES256PublicKey)
    case ecdsaPrivate(ES256PrivateKey)
    case eddsa(EdDSA.PublicKey)
    case eddsaPrivate(EdDSA.PrivateKey)
  }

  /// What a token's `kid` names it by.
  public var id: String?
  let material: Material

  /// A secret for HS256.
  init(secret: [UInt8]) {
    self.init(id: nil, material: .secret(SymmetricKey(data: secret)))
  }

  init(id: String?, material: Material) {
    self.id = id
    self.material = material
  }

  public var algorithm: TokenAlgorithm {
    switch material {
    case .secret: .hs256
    case .rsa, .rsaPrivate: .rs256
    case .ecdsa, .ecdsaPrivate: .es256
    case .eddsa, .eddsaPrivate: .eddsa
    }
  }

  /// Whether tokens can be made with it: it is a secret or a private key.
  public var canSign: Bool {
    switch material {
    case .secret, .rsaPrivate, .ecdsaPrivate, .eddsaPrivate: true
    case .rsa, .ecdsa, .eddsa: false
    }
  }

  /// The key at work. JWTKit gives it away from a collection of keys only, so it is put alone into one.
  func opened() async throws -> any JWTAlgorithm {
    let collection = JWTKeyCollection()
    switch material {
    case .secret(let key): await collection.add(hmac: HMACKey(key: key), digestAlgorithm: .sha256)
    case .rsa(let key): await collection.add(rsa: key, digestAlgorithm: .sha256)
    case .rsaPrivate(let key): await collection.add(rsa: key, digestAlgorithm: .sha256)
    case .ecdsa(let key): await collection.add(ecdsa: key)
    case .ecdsaPrivate(let key): await collection.add(ecdsa: key)
    case .eddsa(let key): await collection.add(eddsa: key)
    case .eddsaPrivate(let key): await collection.add(eddsa: key)
    }
    return try await collection.getKey()
  }
}

/// Why keys cannot be read, for a person.
public struct TokenKeyFailure: Error, Sendable, CustomStringConvertible {
  public let description: String

  init(_ description: String) {
    self.description = description
  }
}
