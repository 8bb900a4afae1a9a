import Framing
import NIOCore
import NIOHTTP1

@testable import Transports

extension FuzzTarget {
  /// The entry: a connection from its first byte, with requests, their bodies, and what takes the connection over.
  static let http = FuzzTarget(
    "http",
    longest: 1_000,
    words: [
      "GET ", "POST ", "HEAD ", "OPTIONS ", "CONNECT ", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "/hello",
      "/echo/a",
      "/stream", "/socket", "http://", " HTTP/1.1\r\n", " HTTP/1.0\r\n", "\r\n", "\r\n\r\n", "Host: a\r\n",
      "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: identity, chunked\r\n",
      "0\r\n\r\n", "3\r\nabc\r\n", "3;a=b\r\n", "Expect: 100-continue\r\n", "Connection: close\r\n",
      "Connection: keep-alive\r\n", "Connection: Upgrade\r\n", "Upgrade: websocket\r\n",
      "Sec-WebSocket-Version: 13\r\n", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
      "Sec-WebSocket-Protocol: sluice.v1.json\r\n", "\u{1}", "%2F", "\t",
    ]
  ) { input in
    let runs = try Pieces.ways(input).map { try HTTPRun($0) }
    let run = runs[0]
    for other in runs.dropFirst() {
      try demandSame(run.requests, other.requests, "cut otherwise, these are other requests")
      try demandSame(run.answers, other.answers, "cut otherwise, the answers are others")
    }
    for request in run.requests {
      try demand(request.body.readableBytes <= HTTPRun.bodyLimit, "a body over the limit")
      try demand(request.path.utf8.count <= HTTPRun.limits.targetLength, "a target over the limit")
      try demand(request.fields.count <= HTTPRun.limits.fieldCount, "fields over the limit")
    }
    if let request = run.requests.first { try request.demandSameAlone() }
    // The client has gone before its first answer, with more in the socket.
    for cut in [input.count / 2, input.count] {
      let broken = try HTTPRun([ByteBuffer(bytes: input[..<cut])], left: ByteBuffer(bytes: input[cut...]))
      try demand(broken.answers.isEmpty, "an answer to nobody")
    }
    try demand(
      run.statuses.filter { $0 < 200 || $0 > 599 }.allSatisfy { $0 == 100 || $0 == 101 },
      "no status"
    )
  }
}

/// One connection's life.
private struct HTTPRun {
  /// So large that no input has more bytes than a body may come in: how many those are depends on the pieces.
  static let bodyLimit = 80
  static let limits = {
    var limits = HTTPLimits()
    limits.targetLength = 80
    limits.fieldLength = 120
    limits.headLength = 400
    limits.fieldCount = 12
    return limits
  }()

  var requests: [SeenRequest] = []
  /// All that was answered, the dates blanked.
  var answers: [UInt8] = []

  init(_ pieces: [ByteBuffer], limits: HTTPLimits = HTTPRun.limits, left: ByteBuffer? = nil) throws {
    let seen = SeenRequests()
    let entry = try EmbeddedEntry(limits: limits, left: left) { routes in
      routes.add(.GET, "/hello") { request, responder in
        seen.all.append(SeenRequest(request))
        responder.respond(.ok, body: ByteBuffer(string: "hello"))
      }
      routes.add(.POST, "/echo/{name}", bodyLimit: HTTPRun.bodyLimit) { request, responder in
        seen.all.append(SeenRequest(request))
        responder.respond(.created, body: request.body)
      }
      routes.add(.GET, "/stream") { request, responder in
        seen.all.append(SeenRequest(request))
        guard let body = responder.beginStream(headers: [:]) else { return }
        body.write(ByteBuffer(string: "some"))
        body.end()
      }
      routes.add(.GET, "/socket") { request, responder in
        seen.all.append(SeenRequest(request))
        let settings = WebSocketSettings(maximumMessageSize: 100)
        WebSocketUpgrade.perform(request, responder, settings: settings) { _ in WebSocketEcho() }
      }
    }
    for piece in pieces { try entry.send(piece) }
    try entry.end()
    try entry.advance(.seconds(3))
    requests = seen.all
    answers = entry.output
    HTTPRun.blankDates(&answers)
    HTTPRun.cutRefusal(&answers)
    if let request = requests.last, request.hidesUpgrade { HTTPRun.cutFrames(&answers) }
    entry.finish()
  }

  var statuses: [Int] {
    String(decoding: answers, as: UTF8.self).split(separator: "HTTP/1.").dropFirst()
      .compactMap { Int($0.dropFirst(2).prefix(3)) }
  }

  /// What is wrong in two ways is refused for the one that is seen first, and that may depend on the pieces.
  private static func cutRefusal(_ bytes: inout [UInt8]) {
    let version = Array("HTTP/1.1 ".utf8)
    guard let start = bytes.indices.last(where: { bytes[$0] == 0x48 && bytes[$0...].starts(with: version) })
    else { return }
    let status = String(decoding: bytes[(start + version.count)...].prefix(3), as: UTF8.self)
    if ["400", "414", "431", "501", "505"].contains(status) {
      bytes.replaceSubrange(start..., with: Array("refused".utf8))
    }
  }

  /// What came with a request whose upgrade the parser did not see is lost, as far as it came in the same piece.
  private static func cutFrames(_ bytes: inout [UInt8]) {
    let start = Array("HTTP/1.1 101 ".utf8)
    guard let head = bytes.indices.last(where: { bytes[$0] == 0x48 && bytes[$0...].starts(with: start) }),
      let end = bytes[head...].indices.first(where: { bytes[$0...].starts(with: Array("\r\n\r\n".utf8)) })
    else { return }
    bytes.removeSubrange((end + 4)...)
  }

  private static func blankDates(_ bytes: inout [UInt8]) {
    let name = Array("\r\nDate: ".utf8)
    var index = 0
    while index + name.count + 29 <= bytes.count {
      if bytes[index] == 0x0d, bytes[index..<(index + name.count)].elementsEqual(name) {
        for place in (index + name.count)..<(index + name.count + 29) { bytes[place] = 0x2d }
      }
      index += 1
    }
  }
}

private final class SeenRequests {
  var all: [SeenRequest] = []
}

private struct SeenRequest: Equatable {
  let method: HTTPMethod
  let version: HTTPVersion
  let path: String
  let query: QueryParameters
  let parameters: PathParameters
  /// Without those that say where the body ends.
  let fields: [String]
  let body: ByteBuffer

  init(_ request: HTTPRequest) {
    method = request.method
    version = request.version
    path = request.path
    query = request.query
    parameters = request.parameters
    fields = request.headers.compactMap { name, value in
      switch name.lowercased() {
      case "content-length", "transfer-encoding", "expect": nil
      default: "\(name): \(value)"
      }
    }
    body = request.body
  }

  /// Whether it asks for an upgrade as the handshake understands it and the parser does not.
  var hidesUpgrade: Bool {
    fields.contains { $0.lowercased().hasPrefix("connection:") && $0.contains("\t") }
  }

  /// Written down as it was understood, with a plain length, it is understood as the same request and nothing else.
  func demandSameAlone() throws {
    var text = ByteBuffer(string: "\(method.rawValue) \(path) HTTP/1.\(version.minor)\r\n")
    for field in fields { text.writeString("\(field)\r\n") }
    text.writeString("Content-Length: \(body.readableBytes)\r\n\r\n")
    text.writeImmutableBuffer(body)
    let again = try HTTPRun([text], limits: HTTPLimits()).requests
    try demandSame(again.count, 1, "written down, it is not one request: \(String(buffer: text))")
    try demandSame(again[0].method, method, "method")
    try demandSame(again[0].path, path, "path")
    try demandSame(again[0].parameters, parameters, "parameters")
    try demandSame(again[0].fields, fields, "fields")
    try demandSame(again[0].body, body, "body")
  }
}
