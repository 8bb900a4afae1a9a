import Counting

/// A client that costs next to nothing: a socket, and requests that were made before.
struct Client {
  let descriptor: Int32

  init(_ port: Int) {
    descriptor = counting_connect(Int32(port))
  }

  func send(_ request: [UInt8]) {
    counting_send(descriptor, request, request.count)
  }

  /// Sends a request and waits for what comes first; how many bytes of `answer` that is.
  @discardableResult
  func ask(_ request: [UInt8], into answer: inout [UInt8]) -> Int {
    send(request)
    return counting_receive(descriptor, &answer, answer.count)
  }

  /// The same, as text.
  func ask(_ request: String) -> String {
    var answer = [UInt8](repeating: 0, count: 4096)
    let count = ask(Array(request.utf8), into: &answer)
    return String(decoding: answer.prefix(count), as: UTF8.self)
  }

  /// Reads until the text has come; all that was read, and what came before.
  func wait(for text: String, after before: String) -> String {
    var all = before
    var answer = [UInt8](repeating: 0, count: 4096)
    while !all.contains(text) {
      let count = counting_receive(descriptor, &answer, answer.count)
      all += String(decoding: answer.prefix(count), as: UTF8.self)
    }
    return all
  }

  func close() {
    counting_close(descriptor)
  }

  static let upgrade = Array(
    """
    GET /v1/socket HTTP/1.1\r
    Host: 127.0.0.1\r
    Upgrade: websocket\r
    Connection: Upgrade\r
    Sec-WebSocket-Version: 13\r
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
    \r\n
    """.utf8
  )

  /// A short text frame as a client sends it; the mask is zero where none is given.
  static func frame(_ text: String, mask: [UInt8] = [0, 0, 0, 0]) -> [UInt8] {
    precondition(text.utf8.count < 126)
    return [0x81, 0x80 | UInt8(text.utf8.count)] + mask
      + text.utf8.enumerated().map { $1 ^ mask[$0 % 4] }
  }

  static func get(_ target: String) -> [UInt8] {
    Array("GET \(target) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8)
  }
}
