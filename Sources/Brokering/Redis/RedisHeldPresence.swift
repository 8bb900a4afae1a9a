import Wire

/// In which channels this node's lease has holders, so that they are found when it ends. Pure.
struct RedisHeldPresence {
  private struct Held {
    var holders = 0
    /// Joins that were asked for and are not answered.
    var joining = 0
  }

  private var channels: [ChannelName: Held] = [:]

  /// A holder that is to go.
  struct Leave: Hashable {
    var channel: ChannelName
    var memberID: String
    var holder: HolderID
  }

  /// Leaves that were asked for and not answered, unless the holder has joined again since.
  private var leaving: Set<Leave> = []
  /// Leaves that Redis could not be told of.
  private(set) var owed: Set<Leave> = []

  var all: [ChannelName] { Array(channels.keys) }

  func holds(_ channel: ChannelName) -> Bool { channels[channel] != nil }

  /// A join is asked for: it undoes whatever leave came before.
  mutating func joins(_ leave: Leave) {
    leaving.remove(leave)
    owed.remove(leave)
  }

  mutating func leaves(_ leave: Leave) {
    leaving.insert(leave)
    owed.remove(leave)
  }

  /// Otherwise the member would stay for as long as this node lives.
  mutating func leaveFailed(_ leave: Leave) {
    if leaving.remove(leave) != nil { owed.insert(leave) }
  }

  /// A join is sent. True when the channel must be noted down first.
  mutating func joins(_ channel: ChannelName) -> Bool {
    let isNew = channels[channel] == nil
    channels[channel, default: Held()].joining += 1
    return isNew
  }

  /// A join was answered: nil when whether it was done is unknown, which counts as done.
  mutating func joined(_ channel: ChannelName, isNew: Bool?) {
    guard channels[channel] != nil else { return }
    channels[channel]!.joining -= 1
    if isNew ?? true { channels[channel]!.holders += 1 }
  }

  /// A leave was answered. True when the channel has no holder any more, and need not be noted.
  mutating func left(_ leave: Leave, wasThere: Bool) -> Bool {
    let channel = leave.channel
    leaving.remove(leave)
    guard wasThere, let held = channels[channel] else { return false }
    channels[channel]!.holders = max(0, held.holders - 1)
    guard held.holders <= 1, held.joining == 0 else { return false }
    channels[channel] = nil
    return true
  }
}
