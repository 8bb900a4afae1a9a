import DequeModule
import NIOConcurrencyHelpers
import NIOCore
import Wire

/// Forgetting what nobody may ask for any more. Every loop waits for the lock meanwhile, so it is held for some of it
/// only; the rest follows soon, on the loops of the ports in turn.
extension MemoryBroker {
  /// How far the forgetting is.
  struct Sweep {
    /// The channels of all logs, first the one that is looked at next.
    var channels: Deque<ChannelName> = []
    var receipts = MemoryReceiptQueue()
    /// How many logs are still to be looked at, this time.
    var logsLeft = 0
    /// The rest is on its way.
    var goesOn = false
    /// The index of the port whose loop was the last to go on.
    var port = 0
  }

  /// How many receipts, and how many logs and messages together, are looked at while the lock is held.
  static let sweepBatch = 1_000
  /// What part of the logs is looked at each time; all of them when the memory is full.
  private static let sweepShare = 8
  private static let sweepPause = TimeAmount.milliseconds(1)

  func beginSweep() {
    let loop: (any EventLoop)? = state.withLockedValue { state in
      let all = state.sweep.channels.count
      let share = max(MemoryBroker.sweepBatch, all / MemoryBroker.sweepShare)
      state.sweep.logsLeft = isFull(state) ? all : min(all, share)
      guard sweepSome(&state), !state.sweep.goesOn else { return nil }
      return nextLoop(&state)
    }
    if let loop { goOn(on: loop) }
  }

  private func goOn(on loop: any EventLoop) {
    loop.scheduleTask(in: MemoryBroker.sweepPause) { [weak self] in
      guard let self else { return }
      let loop = state.withLockedValue { state in
        state.sweep.goesOn = false
        return sweepSome(&state) ? nextLoop(&state) : nil
      }
      if let loop { goOn(on: loop) }
    }
  }

  /// Nil when there is no port: nobody waits, and nothing new comes.
  private func nextLoop(_ state: inout State) -> (any EventLoop)? {
    guard !state.ports.isEmpty else { return nil }
    state.sweep.goesOn = true
    state.sweep.port = (state.sweep.port + 1) % state.ports.count
    return state.ports[state.sweep.port].loop
  }

  /// Answers whether there may be more.
  private func sweepSome(_ state: inout State) -> Bool {
    let now = self.now()
    var receipts = MemoryBroker.sweepBatch
    while receipts > 0, let entry = state.sweep.receipts.popFirst(until: now) {
      receipts -= 1
      state.weight -= state.logs[entry.channel]?.forget(entry.key, until: entry.until) ?? 0
    }
    var others = MemoryBroker.sweepBatch
    while others > 0, state.sweep.logsLeft > 0 { sweepLog(&state, now: now, &others) }
    return receipts == 0 || state.sweep.logsLeft > 0
  }

  /// Looks at the next log: once more when it holds more than may be dropped now.
  private func sweepLog(_ state: inout State, now: Int64, _ left: inout Int) {
    let channel = state.sweep.channels[0]
    let index = state.logs.index(forKey: channel)!
    let held = Int64(namespaces[channel].historyTTL) * 1_000
    let before = state.logs.values[index].weight
    let dropped = state.logs.values[index].dropOlder(than: now - held, atMost: left)
    let log = state.logs.values[index]
    state.weight -= before - log.weight
    left -= dropped
    guard left > 0 else { return }
    left -= 1
    state.sweep.logsLeft -= 1
    state.sweep.channels.removeFirst()
    let lifetime = log.tail == 0 ? MemoryBroker.emptyLifetime : held + MemoryBroker.epochLifetime
    if log.touched + lifetime < now, log.receipts.isEmpty, state.attached[channel] == nil {
      state.weight -= log.weight
      state.logs.remove(at: index)
    } else {
      state.sweep.channels.append(channel)
    }
  }
}
