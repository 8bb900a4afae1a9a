import Crypto
public import NIOHTTP1

/// The server's side of the opening handshake (RFC 6455 section 4.2), as a decision about one request.
public enum WebSocketHandshake {
  /// The subprotocol that is selected where it is offered; else the `bearer.<token>` that is, as browsers fail a
  /// connection whose offers are all passed over.
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
    let fields = Fields(headers)
    guard method == .GET, fields.upgrades else {
      return .refuse(
        .upgradeRequired,
        ["Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"],
        message: "this is a WebSocket: send Upgrade: websocket and Connection: Upgrade"
      )
    }
    guard fields.versions == ["13"] else {
      return .refuse(
        .upgradeRequired,
        ["Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"],
        message: "Sec-WebSocket-Version must be 13"
      )
    }
    guard fields.keys.count == 1, self.isBase64Of16Bytes(fields.keys[0]) else {
      return .refuse(.badRequest, [:], message: "Sec-WebSocket-Key must be one base64 of 16 bytes")
    }
    guard fields.extensionsAreWellFormed else {
      return .refuse(.badRequest, [:], message: "Sec-WebSocket-Extensions must be a list of extensions")
    }
    return .accept(
      key: self.acceptKey(for: fields.keys[0]),
      subprotocol: self.selected(of: fields.offers)
    )
  }

  private static func selected(of offers: [Substring]) -> String? {
    if offers.contains(self.subprotocol[...]) { return self.subprotocol }
    return offers.first { $0.hasPrefix("bearer.") }.map(String.init)
  }

  /// What a handshake consists of, found in one pass over the headers.
  private struct Fields {
    private var upgradesToWebSocket = false
    private var upgradesConnection = false
    var versions: [Substring] = []
    var keys: [Substring] = []
    var offers: [Substring] = []
    var extensionsAreWellFormed = true

    var upgrades: Bool { upgradesToWebSocket && upgradesConnection }

    init(_ headers: HTTPHeaders) {
      for (name, value) in headers {
        // By their lengths most are told apart.
        switch name.utf8.count {
        case 7 where WebSocketHandshake.isToken(name, "upgrade"):
          upgradesToWebSocket = upgradesToWebSocket || WebSocketHandshake.names("websocket", in: value)
        case 10 where WebSocketHandshake.isToken(name, "connection"):
          upgradesConnection = upgradesConnection || WebSocketHandshake.names("upgrade", in: value)
        case 21 where WebSocketHandshake.isToken(name, "sec-websocket-version"):
          versions.append(WebSocketHandshake.trimmed(value))
        case 17 where WebSocketHandshake.isToken(name, "sec-websocket-key"):
          keys.append(WebSocketHandshake.trimmed(value))
        case 24 where WebSocketHandshake.isToken(name, "sec-websocket-extensions"):
          extensionsAreWellFormed = extensionsAreWellFormed && ExtensionList.isWellFormed(value)
        case 22 where WebSocketHandshake.isToken(name, "sec-websocket-protocol"):
          offers += WebSocketHandshake.tokens(of: value)
        default: break
        }
      }
    }
  }

  /// What the client offers, in its order, over all `Sec-WebSocket-Protocol` headers.
  public static func offeredSubprotocols(in headers: HTTPHeaders) -> [Substring] {
    headers["Sec-WebSocket-Protocol"].flatMap(self.tokens)
  }

  /// The token a client that cannot set headers offers as the subprotocol `bearer.<token>`.
  public static func bearerToken(in headers: HTTPHeaders) -> Substring? {
    self.offeredSubprotocols(in: headers).first { $0.hasPrefix("bearer.") }?.dropFirst("bearer.".count)
  }

  /// The value of `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key` (section 4.2.2).
  public static func acceptKey(for key: some StringProtocol) -> String {
    let guid: StaticString = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    let count = key.utf8.count
    return withUnsafeTemporaryAllocation(byteCount: count + guid.utf8CodeUnitCount, alignment: 1) { bytes in
      bytes.copyBytes(from: key.utf8)
      UnsafeMutableRawBufferPointer(rebasing: bytes[count...])
        .copyMemory(from: UnsafeRawBufferPointer(start: guid.utf8Start, count: guid.utf8CodeUnitCount))
      var hash = Insecure.SHA1()
      hash.update(bufferPointer: UnsafeRawBufferPointer(bytes))
      return hash.finalize().withUnsafeBytes(self.base64)
    }
  }

  // By bytes: by characters each of these would look at the whole of Unicode.

  /// Whether `token`, which is in small letters, is one of a list's members.
  private static func names(_ token: StaticString, in value: String) -> Bool {
    if isToken(value, token) { return true }
    return tokens(of: value).contains { isToken($0, token) }
  }

  private static func tokens(of value: String) -> [Substring] {
    value.utf8.split(separator: UInt8(ascii: ",")).map { self.trimmed(Substring($0)) }.filter { !$0.isEmpty }
  }

  private static func trimmed(_ value: some StringProtocol) -> Substring {
    var bytes = Substring(value).utf8
    while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
    while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
    return Substring(bytes)
  }

  /// Tokens are compared without regard to the case of ASCII (RFC 9110 section 7.8); `token` is in small letters.
  private static func isToken(_ value: some StringProtocol, _ token: StaticString) -> Bool {
    value.utf8.count == token.utf8CodeUnitCount
      && token.withUTF8Buffer { token in
        zip(value.utf8, token).allSatisfy { byte, letter in
          byte == letter || (0x41...0x5A).contains(byte) && byte | 0x20 == letter
        }
      }
  }

  private static func isBase64Of16Bytes(_ key: Substring) -> Bool {
    key.utf8.count == 24 && key.utf8.suffix(2).allSatisfy { $0 == UInt8(ascii: "=") }
      && key.utf8.prefix(22).allSatisfy { byte in
        switch byte {
        case 0x41...0x5A, 0x61...0x7A, 0x30...0x39, UInt8(ascii: "+"), UInt8(ascii: "/"): true
        default: false
        }
      }
  }

  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
  )

  private static func base64(_ bytes: UnsafeRawBufferPointer) -> String {
    let alphabet = self.alphabet
    return String(unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4) { text in
      var end = 0
      for start in stride(from: 0, to: bytes.count, by: 3) {
        let count = min(3, bytes.count - start)
        var word: UInt32 = 0
        for index in 0..<3 { word = word << 8 | (index < count ? UInt32(bytes[start + index]) : 0) }
        for index in 0..<4 {
          text[end] =
            index <= count ? alphabet[Int(word >> UInt32(18 - 6 * index) & 0x3F)] : UInt8(ascii: "=")
          end += 1
        }
      }
      return end
    }
  }
}
