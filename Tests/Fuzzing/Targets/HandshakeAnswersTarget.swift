import NIOCore

@testable import SluiceClient

extension FuzzTarget {
  /// What a server answers to a client's opening handshake.
  static let handshakeAnswers = FuzzTarget(
    "handshake-answers",
    longest: 500,
    words: [
      "HTTP/1.1 101 Switching Protocols\r\n", "HTTP/1.", " 503 ", "\r\n\r\n", "Retry-After: 1\r\n", ": ",
    ]
  ) { input in
    let runs = Pieces.ways(input).map(AnswerRun.init)
    for other in runs.dropFirst() { try demandSame(runs[0], other, "cut otherwise, it is something else") }
    guard let answer = runs[0].answer else { return }
    try demand(input.count > runs[0].rest.count, "an answer of nothing")
    try demand(answer.headers.allSatisfy { !$0.value.contains("\r\n") }, "a header of two lines")
  }
}

private struct AnswerRun: Equatable {
  var answer: HandshakeAnswer?
  var rest: [UInt8] = []
  var failure: String?

  init(_ pieces: [ByteBuffer]) {
    var bytes = ByteBuffer()
    for piece in pieces {
      bytes.writeImmutableBuffer(piece)
      guard answer == nil, failure == nil else { continue }
      do throws(HandshakeError) {
        answer = try HandshakeAnswer(reading: &bytes)
      } catch {
        failure = error.description
        bytes.clear()
      }
    }
    if failure == nil { rest = Array(bytes.readableBytesView) }
  }
}
