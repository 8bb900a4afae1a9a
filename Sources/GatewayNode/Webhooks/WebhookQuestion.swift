internal import Admission
internal import NIOCore
internal import Wire

/// A question as the backend reads it: one JSON object.
enum WebhookQuestion {
  /// - Parameters:
  ///   - id: names the question, also when it is asked again.
  ///   - time: milliseconds since 1970.
  static func json(_ question: Question, id: String, node: String, time: Int64) -> ByteBuffer {
    var bytes = ByteBuffer()
    bytes.openObject()
    bytes.writeMember("id", id)
    bytes.writeMember("kind", question.kind.rawValue)
    bytes.writeMember("node", node)
    bytes.writeMember("time", time)
    bytes.writeMember("transport", question.transport.rawValue)
    bytes.writeMember("address", question.caller.address)
    if let user = question.caller.user { bytes.writeMember("user", user) }
    if let info = question.caller.info { bytes.writeMember("info") { $0.writeImmutableBuffer(info) } }
    if let member = question.member { bytes.writeMember("member", member) }
    if let channel = question.channel { bytes.writeMember("channel", channel.text) }
    if let data = question.data { bytes.writeMember("data") { $0.writeImmutableBuffer(data) } }
    bytes.closeObject()
    return bytes
  }

  /// What the answer depends on, in bytes: of users that only look the same each is one of its own. Nil where each
  /// question is its own.
  static func cacheKey(_ question: Question) -> [UInt8]? {
    guard question.kind != .publish else { return nil }
    let caller = question.caller
    let info = caller.info.map { String(buffer: $0) }
    // No part but the last can hold a line feed, or be taken for another.
    let parts: [String?] = [
      question.kind.rawValue, question.transport.rawValue, caller.address, question.channel?.text,
      caller.user == nil ? question.member : nil, caller.user.map { "\($0.utf8.count)" }, caller.user, info,
    ]
    return Array(parts.map { $0 ?? "-" }.joined(separator: "\n").utf8)
  }
}

/// What a backend has answered.
struct WebhookAnswer: Sendable {
  var result: Result<Decision, ClientError>
  /// For how long it counts for the same question.
  var maximumAge: TimeAmount
  /// Bytes that it came in.
  let size: Int

  /// Nil for what is no answer.
  init?(_ body: ByteBuffer, to kind: Question.Kind) {
    guard let object = try? JSONObject(body), let isAllowed = object["allow"]?.bool else { return nil }
    size = body.readableBytes
    maximumAge = .zero
    if let age = object["max_age"] {
      guard let seconds = age.integer, seconds >= 0 else { return nil }
      maximumAge = .seconds(min(seconds, 86_400))
    }
    guard isAllowed else {
      let reason = object["reason"]?.string ?? "refused by the backend"
      result = .failure(ClientError(.forbidden, String(reason.prefix(200))))
      return
    }
    var decision = Decision()
    switch kind {
    case .connect:
      // What is said of somebody is bounded, and in one line, as in a token.
      do {
        decision.user = try TokenClaims.user(object["user"], "user")
        decision.info = try TokenClaims.info(object["info"])
        if let channels = object["channels"], !channels.isNull {
          decision.rights = try TokenClaims.rights(channels)
        }
      } catch {
        return nil
      }
    case .publish:
      decision.data = object["data"].map {
        var data = ByteBuffer(bytes: $0.bytes.readableBytesView)
        data.replaceLineBreaks()
        return data
      }
    case .subscribe: break
    }
    result = .success(decision)
  }
}
