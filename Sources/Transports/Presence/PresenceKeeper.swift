import Brokering
import NIOCore
import Wire

/// Keeps the members of one loop's connections present, and lets them go when their grace is over.
final class PresenceKeeper {
  /// One connection's hold on a member's presence in a channel.
  final class Hold: TimerWheelRider {
    let channel: ChannelName
    let member: Member
    let holder: HolderID
    var wheelPlace = TimerWheel.Place()
    /// Nil while its connection wants it.
    var leavesAt: NIODeadline?
    var isJoined = false
    /// The broker was told that it is over.
    var isLeaving = false
    unowned let keeper: PresenceKeeper

    init(_ channel: ChannelName, _ member: Member, _ holder: HolderID, _ keeper: PresenceKeeper) {
      self.channel = channel
      self.member = member
      self.holder = holder
      self.keeper = keeper
    }

    func timeCame(_ now: NIODeadline) -> NIODeadline? {
      guard let leavesAt else {
        keeper.join(self)
        return nil
      }
      if now < leavesAt { return leavesAt }
      keeper.leave(self)
      return nil
    }
  }

  struct Key: Hashable {
    let channel: ChannelName
    let holder: HolderID
  }

  /// How long after a failure it is tried again.
  private static let retryAfter = TimeAmount.milliseconds(500)

  private let port: any BrokerPort
  private let wheel: TimerWheel
  private var holds: [Key: Hold] = [:]
  /// Holds whose connection is gone.
  private(set) var departing = 0

  init(port: any BrokerPort, wheel: TimerWheel) {
    self.port = port
    self.wheel = wheel
  }

  func join(_ channel: ChannelName, _ session: Session, user: String?, holder: HolderID) {
    let member = Member(id: session.member, user: user, since: WallClock.milliseconds())
    let hold = Hold(channel, member, holder, self)
    holds[Key(channel: channel, holder: holder)] = hold
    join(hold)
  }

  /// The connection gives up its hold; it ends after `delay`.
  func leave(_ channel: ChannelName, holder: HolderID, after delay: TimeAmount) {
    guard let hold = holds[Key(channel: channel, holder: holder)], hold.leavesAt == nil else { return }
    departing += 1
    hold.leavesAt = wheel.eventLoop.now + delay
    // It may be armed to be joined again after a failure.
    wheel.disarm(hold)
    if delay > .zero { wheel.arm(hold, at: hold.leavesAt!) } else { leave(hold) }
  }

  /// The cluster may have forgotten everybody. Whoever is on the way out would never be taken out again.
  func joinAgain() {
    for hold in holds.values where !hold.isLeaving { join(hold) }
  }

  private func join(_ hold: Hold) {
    port.join(hold.channel, hold.member, holder: hold.holder) { [weak self] in
      guard let self, hold.leavesAt == nil else { return }
      switch $0 {
      case .success: hold.isJoined = true
      case .failure: wheel.arm(hold, at: wheel.eventLoop.now + PresenceKeeper.retryAfter)
      }
    }
  }

  private func leave(_ hold: Hold) {
    hold.isLeaving = true
    port.leave(hold.channel, memberID: hold.member.id, holder: hold.holder) { [weak self] in
      guard let self else { return }
      let key = Key(channel: hold.channel, holder: hold.holder)
      // The same connection may have joined again meanwhile, and must not be taken out by a second try.
      let isLatest = holds[key] === hold
      if case .failure = $0, isLatest {
        hold.leavesAt = wheel.eventLoop.now + PresenceKeeper.retryAfter
        wheel.arm(hold, at: hold.leavesAt!)
        return
      }
      departing -= 1
      if isLatest { holds[key] = nil }
    }
  }
}

@available(*, unavailable) extension PresenceKeeper: Sendable {}
