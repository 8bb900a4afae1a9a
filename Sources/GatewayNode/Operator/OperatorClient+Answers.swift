public import NIOCore
public import NIOHTTP1
private import Wire

extension OperatorClient {
  /// The body of a successful answer; any other is a failure that says what the node said.
  public func body(
    of method: HTTPMethod,
    _ path: String,
    _ body: ByteBuffer? = nil
  ) async throws(Failure) -> ByteBuffer {
    let answer = try await send(method, path, body: body)
    guard (200..<300).contains(answer.status.code) else {
      let detail = (try? JSONObject(answer.body))?["detail"]?.string
      throw Failure(
        description: "\(url) answers \(answer.status.code): \(detail ?? answer.status.reasonPhrase)"
      )
    }
    return answer.body
  }
}

extension OperatorClient.Answer {
  /// What the node says is wrong.
  public var problem: String {
    (try? JSONObject(body))?["detail"]?.string ?? status.reasonPhrase
  }
}
