import Wire

extension FuzzTarget {
  /// Channel names, cursors, cursor sets, and the secrets of sessions.
  static let cursors = FuzzTarget(
    "cursors",
    longest: 700,
    words: [
      "start", "abcdefgh", "z0z0z0z0", ".0", ".1", ".9007199254740992", "@", ",", "a:b",
      "room:lobby@abcdefgh.7",
    ]
  ) { input in
    let text = String(decoding: input, as: UTF8.self)
    if let channel = ChannelName(text) {
      try demandSame(channel.description, text, "a channel's text")
      try channel.demandIsChannel()
    }
    if let cursor = Cursor(text) {
      try demandSame(cursor.description, text, "a cursor's text")
      try cursor.demandIsCursor()
    }
    if let since = Since(text) { try demandSame(since.description, text, "a position's text") }
    if let session = Session(secret: text, user: nil) {
      try demandSame(session.secret, text, "a session's text")
      try demand(Session.isMember(session.member), "a member")
    }
    guard let set = CursorSet(text) else {
      try demand(SinceSet(text) == nil || text == "start", "a position in several channels")
      return
    }
    try demand(text != "start", "a set that is a start")
    try demandSame(SinceSet(text), .positions(set), "a position in several channels")
    try demandSame(CursorSet(set.description), set, "written, it is read as another")
    try demandSame(set.description.utf8.count, text.utf8.count, "what is written is longer or shorter")
    try demand((1...CursorSet.maximumCount).contains(set.positions.count), "a count")
    var rebuilt = CursorSet()
    for (channel, cursor) in set.positions.reversed() {
      try channel.demandIsChannel()
      try cursor.demandIsCursor()
      try demandSame(set[channel], cursor, "a position that is not found")
      rebuilt[channel] = cursor
    }
    try demandSame(rebuilt, set, "put together, it is another")
    for (channel, _) in set.positions { rebuilt[channel] = nil }
    try demand(rebuilt.isEmpty, "what was taken out is there")
  }
}

extension ChannelName {
  func demandIsChannel() throws(Broken) {
    try demandSame(ChannelName(text), self, "a channel's name")
    try demand((1...ChannelName.maximumLength).contains(text.utf8.count), "the length of a channel's name")
    let allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-".utf8
    try demand(text.utf8.allSatisfy(allowed.contains), "a channel's letters")
  }
}

extension Cursor {
  func demandIsCursor() throws(Broken) {
    try demandSame(Cursor(description), self, "a cursor")
    try demand(offset <= Cursor.maximumOffset, "an offset")
  }
}
