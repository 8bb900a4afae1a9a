import Admission
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
    /// Its leave is on its way.
    var isLeaving = false
    /// Polls that hold it at the moment; connections that stay hold it without counting.
    var polls = 0
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

  func join(_ channel: ChannelName, _ session: Session, by caller: Caller, holder: HolderID) {
    let member = Member(
      id: session.member,
      user: caller.user,
      info: caller.info,
      since: port.clock.milliseconds()
    )
    let hold = Hold(channel, member, holder, self)
    let old = holds.updateValue(hold, forKey: Key(channel: channel, holder: holder))
    if let old, old.wheelPlace.isArmed {
      // A leave that waits for its second try would take the new one out.
      wheel.disarm(old)
      if old.leavesAt != nil { departing -= 1 }
    }
    join(hold)
  }

  /// The connection gives up its hold; it ends after `delay`.
  func leave(_ channel: ChannelName, holder: HolderID, after delay: TimeAmount) {
    guard let hold = holds[Key(channel: channel, holder: holder)], hold.leavesAt == nil else { return }
    departing += 1
    hold.leavesAt = wheel.time + delay
    // It may be armed to be joined again after a failure.
    wheel.disarm(hold)
    if delay > .zero { wheel.arm(hold, at: hold.leavesAt!) } else { leave(hold) }
  }

  // MARK: Polls

  /// A poll of this session began: it joins, or stays.
  func pollBegan(_ channel: ChannelName, _ session: Session, by caller: Caller) {
    let holder = holder(of: session)
    if let hold = holds[Key(channel: channel, holder: holder)], !hold.isLeaving {
      if hold.leavesAt != nil {
        hold.leavesAt = nil
        departing -= 1
        wheel.disarm(hold)
        if !hold.isJoined { join(hold) }
      }
      hold.polls += 1
    } else {
      join(channel, session, by: caller, holder: holder)
      holds[Key(channel: channel, holder: holder)]?.polls = 1
    }
  }

  /// It was answered: without another one the session leaves after `delay`.
  func pollEnded(_ channel: ChannelName, _ session: Session, after delay: TimeAmount) {
    let holder = holder(of: session)
    guard let hold = holds[Key(channel: channel, holder: holder)] else { return }
    hold.polls -= 1
    if hold.polls == 0 { leave(channel, holder: holder, after: delay) }
  }

  /// Whether a poll of this session would find it present, by another one.
  func isHeld(_ channel: ChannelName, by session: Session) -> Bool {
    holds[Key(channel: channel, holder: holder(of: session))]?.isLeaving == false
  }

  /// All polls of a session on this loop are one holder, which no connection has.
  private func holder(of session: Session) -> HolderID {
    var hasher = Hasher()
    hasher.combine(session.member)
    hasher.combine(ObjectIdentifier(self))
    return HolderID(serial: UInt64(bitPattern: Int64(hasher.finalize())) | 1 << 63)
  }

  /// The cluster may have forgotten everybody. Whoever is on the way out would never be taken out again.
  func joinAgain() {
    for hold in holds.values where !hold.isLeaving { join(hold) }
  }

  private func join(_ hold: Hold) {
    port.join(hold.channel, hold.member, holder: hold.holder) { [weak self] in
      guard let self else { return }
      if case .success = $0 { hold.isJoined = true } else { hold.isJoined = false }
      guard !hold.isJoined, hold.leavesAt == nil else { return }
      wheel.arm(hold, at: wheel.time + PresenceKeeper.retryAfter)
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
        hold.leavesAt = wheel.time + PresenceKeeper.retryAfter
        wheel.arm(hold, at: hold.leavesAt!)
        return
      }
      departing -= 1
      if isLatest { holds[key] = nil }
    }
  }
}

@available(*, unavailable) extension PresenceKeeper: Sendable {}
