public import NIOCore
import Wire

/// A token taken apart (RFC 7515 section 7.1), of which nothing is believed yet.
public struct UncheckedToken: Sendable {
  /// Longer ones are refused unread, in bytes.
  public static let longest = 8_192
  static let longestKeyID = 256

  public let algorithm: TokenAlgorithm
  public let keyID: String?
  /// The header and the claims as JSON.
  public let header: ByteBuffer
  public let payload: ByteBuffer
  /// What is signed, and the signature.
  let signed: [UInt8]
  let signature: [UInt8]

  /// Throws what is wrong with its form.
  public init(_ text: some StringProtocol) throws(TokenFault) {
    let bytes = Array(text.utf8)
    guard bytes.count <= UncheckedToken.longest else { throw .malformed("it is too long") }
    let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3 else { throw .malformed("it has not three parts") }
    guard let header = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]),
      let signature = Base64URL.decode(parts[2])
    else { throw .malformed("it is not base64url") }
    self.header = ByteBuffer(bytes: header)
    self.payload = ByteBuffer(bytes: payload)
    signed = Array(bytes[..<parts[1].endIndex])
    self.signature = signature
    guard let fields = try? JSONObject(self.header) else { throw .malformed("its header is no JSON object") }
    guard let name = fields["alg"]?.string else { throw .malformed("its header names no algorithm") }
    // `none` is not among them (RFC 8725 section 3.1).
    guard let algorithm = TokenAlgorithm(rawValue: name) else { throw .algorithm(String(name.prefix(32))) }
    // RFC 7515 section 4.1.11: what must be understood, and is not.
    guard fields["crit"] == nil else { throw .malformed("its header has crit") }
    self.algorithm = algorithm
    keyID = fields["kid"]?.string
    if let keyID, keyID.utf8.count > UncheckedToken.longestKeyID { throw .malformed("its kid is too long") }
  }
}
