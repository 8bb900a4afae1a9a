/// How a token is signed (RFC 7518 section 3.1 and RFC 8037): these and no others.
public enum TokenAlgorithm: String, Sendable, CaseIterable {
  case hs256 = "HS256"
  case rs256 = "RS256"
  case es256 = "ES256"
  case eddsa = "EdDSA"
}
