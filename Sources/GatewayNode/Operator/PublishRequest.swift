public import NIOCore
private import Wire

/// One message to publish through an operator listener, and what became of it.
public struct PublishRequest: Sendable {
  /// Why it cannot be published, for a person.
  public struct Failure: Error, Sendable, CustomStringConvertible {
    public let description: String
  }

  /// The body of `POST /v1/publish`.
  public let body: ByteBuffer

  /// Throws when the channel is no channel's name or `data` no JSON value.
  public init(channel: String, data: String, key: String? = nil) throws(Failure) {
    guard ChannelName(channel) != nil else {
      throw Failure(description: "\"\(channel)\" is no channel: expected 1 to 128 of A-Z a-z 0-9 _ . : -")
    }
    let json = ByteBuffer(string: data)
    do {
      try JSONScanner.validate(json)
    } catch {
      throw Failure(description: "the data is not JSON, \(error); a text is written '\"text\"'")
    }
    var body = ByteBuffer()
    body.openObject()
    body.writeMember("publications", arrayOf: [channel]) { body, channel in
      body.openObject()
      body.writeMember("channels", arrayOf: [channel]) { $0.writeJSONString($1) }
      body.writeMember("data", json)
      if let key { body.writeMember("key", key) }
      body.closeObject()
    }
    body.closeObject()
    self.body = body
  }

  /// The cursor of the message, `-` in an ephemeral channel.
  public func result(of answer: ByteBuffer) throws(Failure) -> String {
    guard let result = (try? JSONObject(answer))?["results"]?.elements?.first?.object else {
      throw Failure(description: "the answer has no result")
    }
    if let error = result["error"] {
      let message = error.object?["message"]?.string ?? String(buffer: error.bytes)
      throw Failure(description: "not published: \(message)")
    }
    return result["cursor"]?.string ?? "-"
  }
}
