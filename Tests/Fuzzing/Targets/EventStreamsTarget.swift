import Framing
import NIOCore
import SluiceClient

extension FuzzTarget {
  /// Server-sent events as a client reads them.
  static let eventStreams = FuzzTarget(
    "event-streams",
    longest: 700,
    words: [
      "data: ", "data\n", "id: a@abcdefgh.1\n", "id\n", "event: gap\n", "retry: 2000\n\n", ":\n", "\n\n",
      "\r\n", "\r",
    ]
  ) { input in
    let runs = Pieces.ways(input).map(StreamRun.init)
    let run = runs[0]
    for other in runs.dropFirst() { try demandSame(run, other, "cut otherwise, it is something else") }
    for case .event(let event) in run.items {
      try demand(event.data.readableBytes <= StreamRun.limit, "data over the limit")
      guard !event.data.readableBytesView.contains(0x0a), !event.lastEventID.readableBytesView.isEmpty else {
        continue
      }
      var written = ByteBuffer()
      EventStreamEncoder.write(id: event.lastEventID, data: event.data, into: &written)
      // The encoder's line has a space more than a client needs to accept.
      let again = StreamRun([written], limit: StreamRun.limit + "data: ".utf8.count)
      try demandSame(
        again.items,
        [.event(ServerSentEvent(lastEventID: event.lastEventID, data: event.data))],
        "written, it is read as another"
      )
    }
  }
}

private struct StreamRun: Equatable {
  static let limit = 200

  var items: [EventStreamParser.Item] = []
  var lastEventID = ByteBuffer()
  var isTooLong = false

  init(_ pieces: [ByteBuffer]) {
    self.init(pieces, limit: StreamRun.limit)
  }

  init(_ pieces: [ByteBuffer], limit: Int) {
    var parser = EventStreamParser(limit: limit)
    for piece in pieces where !isTooLong {
      parser.append(piece)
      do {
        while let item = try parser.next() { items.append(item) }
      } catch {
        isTooLong = true
      }
    }
    lastEventID = parser.lastEventID
  }
}
