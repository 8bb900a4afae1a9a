internal import Crypto
internal import NIOCore

/// Proves to a backend that a question comes from this cluster, and is not an old one sent again.
enum WebhookSignature {
  static let header = "Sluice-Signature"

  /// `t=SECONDS,v1=HEX`: the HMAC-SHA256 (RFC 2104) of the seconds since 1970, a full stop and the body.
  static func sign(_ body: ByteBuffer, at seconds: Int64, with secret: [UInt8]) -> String {
    var code = HMAC<SHA256>(key: SymmetricKey(data: secret))
    code.update(data: Array("\(seconds).".utf8))
    code.update(data: Array(body.readableBytesView))
    let digits = Array("0123456789abcdef".utf8)
    let hex = code.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return "t=\(seconds),v1=\(String(decoding: hex, as: UTF8.self))"
  }
}
