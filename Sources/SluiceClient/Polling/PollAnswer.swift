public import NIOCore
public import Wire

/// The body of a poll's answer, taken apart.
public struct PollAnswer: Sendable {
  /// Where the next poll goes on, as it is to be given back; empty where no channel has a cursor.
  public var cursor: String
  public var positions: CursorSet
  /// One JSON object each, in order. They share the storage of the body.
  public var events: [ByteBuffer]

  /// Nothing has happened since `cursor`.
  init(unchanged cursor: String) {
    self.cursor = cursor
    positions = CursorSet(cursor) ?? CursorSet()
    events = []
  }

  /// Nil when the body is not a poll's answer.
  public init?(_ body: ByteBuffer) {
    guard let object = try? JSONObject(body), let cursor = object["cursor"]?.string,
      let events = object["events"]?.elements
    else { return nil }
    guard let positions = cursor.isEmpty ? CursorSet() : CursorSet(cursor) else { return nil }
    self.cursor = cursor
    self.positions = positions
    self.events = events.map(\.bytes)
  }
}
