import Crypto
public import NIOHTTP1

/// The server's side of the opening handshake (RFC 6455 section 4.2), as a decision about one request.
public enum WebSocketHandshake {
  /// The only subprotocol that is ever selected.
  public static let subprotocol = "sluice.v1.json"

  public enum Decision: Sendable {
    /// Answer `101` with this `Sec-WebSocket-Accept` and, when there is one, this `Sec-WebSocket-Protocol`.
    /// No extension is negotiated.
    case accept(key: String, subprotocol: String?)
    /// Answer with this status, these headers beside the usual ones, and the message as the explanation.
    case refuse(HTTPResponseStatus, HTTPHeaders, message: String)
  }

  public static func decide(method: HTTPMethod, version: HTTPVersion, headers: HTTPHeaders) -> Decision {
    guard method == .GET || method == .HEAD else {
      return .refuse(.methodNotAllowed, ["Allow": "GET"], message: "a WebSocket is opened with GET")
    }
    guard version.major == 1, version.minor >= 1 else {
      return .refuse(.badRequest, [:], message: "a WebSocket needs HTTP/1.1")
    }
    guard method == .GET,
      self.tokens(of: "Upgrade", in: headers).contains(where: { $0.lowercased() == "websocket" }),
      self.tokens(of: "Connection", in: headers).contains(where: { $0.lowercased() == "upgrade" })
    else {
      return .refuse(
        .upgradeRequired,
        ["Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"],
        message: "this is a WebSocket: send Upgrade: websocket and Connection: Upgrade"
      )
    }
    guard headers["Sec-WebSocket-Version"].map(self.trimmed) == ["13"] else {
      return .refuse(
        .upgradeRequired,
        ["Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"],
        message: "Sec-WebSocket-Version must be 13"
      )
    }
    let keys = headers["Sec-WebSocket-Key"].map(self.trimmed)
    guard keys.count == 1, self.isBase64Of16Bytes(keys[0]) else {
      return .refuse(.badRequest, [:], message: "Sec-WebSocket-Key must be one base64 of 16 bytes")
    }
    let offered = self.offeredSubprotocols(in: headers)
    return .accept(
      key: self.acceptKey(for: keys[0]),
      subprotocol: offered.contains(self.subprotocol[...]) ? self.subprotocol : nil
    )
  }

  /// What the client offers, in its order, over all `Sec-WebSocket-Protocol` headers.
  public static func offeredSubprotocols(in headers: HTTPHeaders) -> [Substring] {
    self.tokens(of: "Sec-WebSocket-Protocol", in: headers)
  }

  /// The token a client that cannot set headers offers as the subprotocol `bearer.<token>`.
  public static func bearerToken(in headers: HTTPHeaders) -> Substring? {
    self.offeredSubprotocols(in: headers).first { $0.hasPrefix("bearer.") }?.dropFirst("bearer.".count)
  }

  /// The value of `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key` (section 4.2.2).
  public static func acceptKey(for key: some StringProtocol) -> String {
    var hash = Insecure.SHA1()
    hash.update(data: Array(key.utf8))
    hash.update(data: Array("258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))
    return self.base64(Array(hash.finalize()))
  }

  private static func tokens(of name: String, in headers: HTTPHeaders) -> [Substring] {
    headers[name].flatMap { value in
      value.split(separator: ",").map { self.trimmed($0) }.filter { !$0.isEmpty }
    }
  }

  private static func trimmed(_ value: some StringProtocol) -> Substring {
    var value = Substring(value)
    while let first = value.utf8.first, first == 0x20 || first == 0x09 { value = value.dropFirst() }
    while let last = value.utf8.last, last == 0x20 || last == 0x09 { value = value.dropLast() }
    return value
  }

  private static func isBase64Of16Bytes(_ key: Substring) -> Bool {
    let bytes = Array(key.utf8)
    return bytes.count == 24 && bytes.suffix(2) == [0x3D, 0x3D]
      && bytes.dropLast(2).allSatisfy(self.alphabet.contains)
  }

  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
  )

  private static func base64(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var word: UInt32 = 0
      for index in 0..<3 {
        word = word << 8 | (index < group.count ? UInt32(group[start + index]) : 0)
      }
      for index in 0..<4 {
        let sextet = Int(word >> UInt32(18 - 6 * index) & 0x3F)
        text.append(index <= group.count ? self.alphabet[sextet] : 0x3D)
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
