import NIOCore
import Wire

/// What is published on a channel's feed: one letter, numbers separated by spaces, a line feed, and the texts
/// whose lengths the numbers say (-1: there is none).
///
///     M epoch offset time #user ⏎ user data       a message
///     E time #user ⏎ user data                    a message of an ephemeral channel
///     J since #id #user #info ⏎ id user info      a join; L is a leave
enum RedisFrame {
  /// Nil when the payload is none of these. Its parts share the payload's storage.
  static func parse(_ payload: ByteBuffer) -> FeedItem? {
    var payload = payload
    var user: String?
    switch payload.readInteger(as: UInt8.self) {
    case UInt8(ascii: "M"):
      guard let epoch = payload.readEpoch(), let offset = payload.readNumber(),
        Cursor.isMessage(offset: offset),
        let time = payload.readNumber(), let length = payload.readNumber(),
        payload.readText(length, into: &user)
      else { return nil }
      let cursor = Cursor(epoch, UInt64(offset))
      return .message(Message(cursor: cursor, data: payload, user: user, time: time))
    case UInt8(ascii: "E"):
      guard let time = payload.readNumber(), let length = payload.readNumber(),
        payload.readText(length, into: &user)
      else { return nil }
      return .ephemeral(data: payload, user: user, time: time)
    case UInt8(ascii: "J"): return member(payload).map(FeedItem.join)
    case UInt8(ascii: "L"): return member(payload).map(FeedItem.leave)
    default: return nil
    }
  }

  static func ephemeral(_ publication: Publication, time: Int64) -> ByteBuffer {
    var payload = ByteBuffer()
    let user = publication.user
    payload.writeString("E\(time) \(user?.utf8.count ?? -1)\n\(user ?? "")")
    payload.writeImmutableBuffer(publication.data)
    return payload
  }

  /// A member's record, as it is stored and, after a letter, published.
  static func record(_ member: Member) -> ByteBuffer {
    var record = ByteBuffer()
    let user = member.user?.utf8.count ?? -1
    let info = member.info?.readableBytes ?? -1
    record.writeString(
      "\(member.since) \(member.id.utf8.count) \(user) \(info)\n\(member.id)\(member.user ?? "")"
    )
    if let info = member.info { record.writeImmutableBuffer(info) }
    return record
  }

  static func member(_ record: ByteBuffer) -> Member? {
    var record = record
    var id: String?
    var user: String?
    guard let since = record.readNumber(), let idLength = record.readNumber(),
      let userLength = record.readNumber(), let infoLength = record.readNumber(),
      record.readText(idLength, into: &id), let id, record.readText(userLength, into: &user)
    else { return nil }
    guard infoLength >= 0 else { return Member(id: id, user: user, since: since) }
    guard let info = record.readSlice(length: Int(infoLength)) else { return nil }
    return Member(id: id, user: user, info: info, since: since)
  }
}

extension ByteBuffer {
  /// A whole number and the space or line feed after it.
  fileprivate mutating func readNumber() -> Int64? {
    var value: Int64 = 0
    var digits = 0
    var isNegative = false
    while let byte = readInteger(as: UInt8.self) {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9") where digits < 18:
        value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        digits += 1
      case UInt8(ascii: "-") where digits == 0 && !isNegative: isNegative = true
      case UInt8(ascii: " "), UInt8(ascii: "\n"): return digits > 0 ? (isNegative ? -value : value) : nil
      default: return nil
      }
    }
    return nil
  }

  fileprivate mutating func readEpoch() -> Epoch? {
    guard let epoch = readSlice(length: Epoch.length).flatMap({ Epoch($0.readableBytesView) }),
      readInteger(as: UInt8.self) == UInt8(ascii: " ")
    else { return nil }
    return epoch
  }

  /// Reads a text, none for a negative length. False when it is not there in full.
  fileprivate mutating func readText(_ length: Int64, into text: inout String?) -> Bool {
    if length < 0 { return true }
    text = readString(length: Int(length))
    return text != nil
  }
}
