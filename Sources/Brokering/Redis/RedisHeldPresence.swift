import Wire

/// In which channels this node's lease has holders, so that they are found when it ends. Pure.
struct RedisHeldPresence {
  private struct Held {
    var holders = 0
    /// Joins that were asked for and are not answered.
    var joining = 0
  }

  private var channels: [ChannelName: Held] = [:]

  /// Leaves that Redis could not be told of.
  var owed: Set<RedisBrokerCore.OwedLeave> = []

  var all: [ChannelName] { Array(channels.keys) }

  /// A join is asked for. True when the channel must be noted down first.
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

  /// A holder is gone. True when the channel has none any more, and need not be noted.
  mutating func left(_ channel: ChannelName) -> Bool {
    guard let held = channels[channel] else { return false }
    channels[channel]!.holders = max(0, held.holders - 1)
    guard held.holders <= 1, held.joining == 0 else { return false }
    channels[channel] = nil
    return true
  }
}
