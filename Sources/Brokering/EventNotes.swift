import DequeModule
import NIOCore

/// What a node has to tell Redis of connections and channels that came and went: in order, in numbered batches, each
/// until it is known to be there.
struct EventNotes {
  struct Note {
    var key: String
    /// Nil when it is over.
    var detail: ByteBuffer?
    /// What it was that is over.
    var former: ByteBuffer?
  }

  static let batchSize = 200

  /// Whether connections are noted, and whether channels are.
  var notesConnections = false
  var notesChannels = false
  /// What is there now.
  private(set) var open: [String: ByteBuffer] = [:]
  private(set) var waiting = Deque<Note>()
  /// Under which lease it was told.
  private(set) var lease = ""
  /// The number of the batch that was sent last, and how many notes it has.
  private(set) var batch = 0
  private(set) var sent = 0
  var isSending = false
  /// Notes that there was no room for.
  private var dropped = 0

  var isUsed: Bool { notesConnections || notesChannels }

  mutating func began(_ key: String, _ detail: ByteBuffer) {
    open[key] = detail
    add(Note(key: key, detail: detail))
  }

  mutating func ended(_ key: String) {
    guard let former = open.removeValue(forKey: key) else { return }
    add(Note(key: key, detail: nil, former: former))
  }

  private mutating func add(_ note: Note) {
    if waiting.count - sent >= EventBounds.most {
      waiting.remove(at: sent)
      dropped += 1
    }
    waiting.append(note)
  }

  /// The next batch under a lease, perhaps empty: under another one than before everything is told anew, and of what is
  /// over since then also that it was.
  mutating func next(under name: String) -> (number: Int, notes: [Note]) {
    if lease != name {
      lease = name
      batch = 0
      sent = 0
      let over = waiting.flatMap { note in
        note.former.map { [Note(key: note.key, detail: $0), note] } ?? [note]
      }
      waiting = Deque(open.map { Note(key: $0.key, detail: $0.value) } + over)
    }
    if sent == 0 {
      batch += 1
      sent = min(waiting.count, EventNotes.batchSize)
    }
    return (batch, Array(waiting.prefix(sent)))
  }

  /// The batch of that number is in Redis.
  mutating func taken(_ number: Int) {
    guard number == batch else { return }
    waiting.removeFirst(sent)
    sent = 0
  }

  mutating func takeDropped() -> Int {
    defer { dropped = 0 }
    return dropped
  }

  /// Redis knows nothing of what was told before.
  mutating func forgotten() { lease = "" }
}
