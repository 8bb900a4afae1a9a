internal import NIOCore
internal import Wire

/// The body of `POST /v1/publish`, one part for each channel of each publication, in order.
struct Publications {
  struct Part {
    /// As it was given.
    var channel: String
    /// One JSON value in one line.
    var data: ByteBuffer
    var key: String?
  }

  /// The most parts of one request.
  static let limit = 1_000

  let parts: [Part]

  init(_ body: ByteBuffer) throws(ClientError) {
    let object: JSONObject
    do {
      object = try JSONObject(body)
    } catch {
      throw ClientError(.badJSON, "the body is no JSON object: \(error)")
    }
    guard let publications = object["publications"]?.elements else {
      throw ClientError(.badRequest, "publications: expected an array")
    }
    var parts: [Part] = []
    for publication in publications {
      parts += try Publications.parts(of: publication)
      guard parts.count <= Publications.limit else {
        throw ClientError(.badRequest, "at most \(Publications.limit) channels in all in one request")
      }
    }
    self.parts = parts
  }

  private static func parts(of publication: JSONField) throws(ClientError) -> [Part] {
    guard let object = publication.object, let channels = object["channels"]?.elements,
      let data = object["data"]
    else {
      throw ClientError(.badRequest, #"a publication is {"channels": ["a"], "data": 1, "key": "k"}"#)
    }
    if let key = object["key"], !key.isNull {
      guard let text = key.string, (1...ClientRequest.maximumKeyLength).contains(text.utf8.count) else {
        throw ClientError(.badRequest, "key: a text of 1 to \(ClientRequest.maximumKeyLength) bytes")
      }
    }
    // Copied: the field shares the storage of the whole body.
    var kept = ByteBuffer(bytes: data.bytes.readableBytesView)
    kept.replaceLineBreaks()
    var parts: [Part] = []
    for channel in channels {
      guard let name = channel.string else { throw ClientError(.badRequest, "channels: expected texts") }
      parts.append(Part(channel: name, data: kept, key: object["key"]?.string))
    }
    return parts
  }
}
