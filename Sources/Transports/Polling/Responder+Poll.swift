import NIOCore
import NIOHTTP1
import Wire

extension Responder {
  /// Answers a poll; `events` are JSON objects with commas between. True when the client was told only that it
  /// has everything already.
  ///
  /// The entity tag of a short poll is the cursor set, which together with the URL names the answer: who has it
  /// has the same events (RFC 9110 section 8.8.3).
  func respond(to question: PollQuestion, positions: String, events: ByteBuffer, interval: Int) -> Bool {
    var headers: HTTPHeaders = ["X-Poll-Interval": "\(interval)"]
    if question.isLong {
      headers.add(name: "Cache-Control", value: "no-store")
    } else {
      headers.add(
        name: "Cache-Control",
        value: question.maxAge.map { "public, max-age=\($0)" } ?? "private, no-store"
      )
      headers.add(name: "ETag", value: "\"\(positions)\"")
    }
    if question.tellsSession, let session = question.session {
      headers.add(name: "Sluice-Session", value: session.secret)
    }
    if !question.isLong, EntityTag.matches("\"\(positions)\"", ifNoneMatch: question.validators) {
      respond(.notModified, headers: headers)
      return true
    }
    headers.add(name: "Content-Type", value: "application/json")
    var body = ByteBuffer()
    body.reserveCapacity(events.readableBytes + positions.utf8.count + 32)
    body.writeStaticString(#"{"cursor":""#)
    body.writeString(positions)
    body.writeStaticString(#"","events":["#)
    body.writeImmutableBuffer(events)
    body.writeStaticString("]}")
    respond(.ok, headers: headers, body: body)
    return false
  }
}
