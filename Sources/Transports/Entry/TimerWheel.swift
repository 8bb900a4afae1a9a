public import NIOCore

/// Something that wants to be looked at when a time has come. Confined to its wheel's event loop.
public protocol TimerWheelRider: AnyObject {
  /// Where the wheel keeps the rider; only the wheel changes it.
  var wheelPlace: TimerWheel.Place { get set }

  /// Whether its time passes even while the loop stands still: it is for what the world waits for, not for how long
  /// somebody is given. After such a time it may be looked at too early.
  var isByTheWorldsTime: Bool { get }

  /// The time the rider was armed for has come, or a little more. The rider may have changed its mind since: it
  /// looks at its own state and answers when to be looked at again, or nil to leave the wheel.
  ///
  /// - Parameter now: by the wheel's time, as is the answer.
  func timeCame(_ now: NIODeadline) -> NIODeadline?
}

extension TimerWheelRider {
  public var isByTheWorldsTime: Bool { false }
}

/// The coarse timers of one event loop's connections: one scheduled task for all of them, arming and leaving in
/// constant time. A rider is never looked at too early, and at most one tick too late.
///
/// That is by the wheel's `time`: the event loop's, without what was lost while the process or its machine was stopped,
/// or one turn of the loop took very long. Nothing was read in that time, so that it says nothing about any peer; once it
/// is over nobody is looked at before the loop has had time to read what has come.
///
/// Deadlines that move often are best left alone: let the rider be looked at and answer the later one.
public final class TimerWheel {
  public struct Place: Sendable {
    /// The slot of those whose turn it is and who were not looked at yet.
    fileprivate static let due: Int32 = -2

    fileprivate var slot: Int32 = -1
    fileprivate var index: Int32 = 0

    public init() {}

    public var isArmed: Bool { self.slot != -1 }

    fileprivate var isDue: Bool { self.slot == Self.due }
  }

  public let eventLoop: any EventLoop
  private let clock: () -> NIODeadline
  private let tick: TimeAmount
  /// How far the hand may be behind; what exceeds that is lost. Also for how long the loop reads after a loss.
  private let mostBehind: TimeAmount
  /// Many may be due at once, and whoever is closed takes its time.
  private let turns: SharedTurns
  private var lost = TimeAmount.zero
  private var next: Scheduled<Void>?
  /// When that is, by the clock.
  private var nextTurn = NIODeadline.uptimeNanoseconds(0)
  private var slots: [[any TimerWheelRider]]
  /// Whose tick has come and who was not looked at yet, the next one last.
  private var due: [any TimerWheelRider] = []
  private var hand = 0
  private var handTime: NIODeadline
  private var riders = 0
  private var isTurning = false

  /// - Parameters:
  ///   - tick: how late a rider may be looked at.
  ///   - slots: ticks that the wheel can tell apart; what lies further ahead is looked at on the way.
  ///   - turns: who else has much to do on the loop.
  ///   - clock: the event loop's, if it is not another.
  public init(
    eventLoop: any EventLoop,
    tick: TimeAmount = .milliseconds(250),
    slots: Int = 512,
    turns: SharedTurns? = nil,
    clock: (() -> NIODeadline)? = nil
  ) {
    self.eventLoop = eventLoop
    self.clock = clock ?? { eventLoop.now }
    self.tick = tick
    self.mostBehind = tick * 4
    self.turns = turns ?? SharedTurns(eventLoop: eventLoop)
    self.slots = Array(repeating: [], count: slots)
    self.handTime = self.clock()
  }

  /// How many riders wait.
  public var count: Int { self.riders }

  /// The time of the last tick: a clock that costs nothing. It stands still while nobody is armed.
  public var now: NIODeadline { self.handTime }

  /// The time by which riders are armed. A loss that was not noticed yet does not count.
  public var time: NIODeadline {
    let time = self.clock() - self.lost
    return self.isTurning ? min(time, self.handTime + self.mostBehind) : time
  }

  /// Arms the rider, or moves it when it was armed. It is held until it leaves.
  /// - Parameter deadline: by the wheel's time.
  public func arm(_ rider: any TimerWheelRider, at deadline: NIODeadline) {
    self.disarm(rider)
    if !self.isTurning { self.startTurning() }
    let ahead = max(0, (deadline - self.handTime).nanoseconds)
    let ticks = (ahead + self.tick.nanoseconds - 1) / self.tick.nanoseconds
    self.place(rider, ahead: Int(min(max(1, ticks), Int64(self.slots.count - 1))))
  }

  private func place(_ rider: any TimerWheelRider, ahead ticks: Int) {
    let slot = (self.hand + ticks) % self.slots.count
    rider.wheelPlace.slot = Int32(slot)
    rider.wheelPlace.index = Int32(self.slots[slot].count)
    self.slots[slot].append(rider)
    self.riders += 1
  }

  public func disarm(_ rider: any TimerWheelRider) {
    guard rider.wheelPlace.isArmed else { return }
    let place = rider.wheelPlace
    rider.wheelPlace = Place()
    self.riders -= 1
    if place.isDue {
      Self.remove(at: place.index, from: &self.due)
    } else {
      Self.remove(at: place.index, from: &self.slots[Int(place.slot)])
    }
  }

  private static func remove(at index: Int32, from riders: inout [any TimerWheelRider]) {
    let last = riders.removeLast()
    guard index < riders.count else { return }
    riders[Int(index)] = last
    last.wheelPlace.index = index
  }

  private func startTurning() {
    self.isTurning = true
    self.handTime = self.clock() - self.lost
    self.scheduleTurn()
  }

  /// What waits for its time holds its loop. One that is let go elsewhere than on its loop is let go after it.
  deinit {
    if self.eventLoop.inEventLoop { self.next?.cancel() }
  }

  private func scheduleTurn() {
    self.schedule(in: self.tick) { $0.turn() }
  }

  private func schedule(in amount: TimeAmount, _ work: @escaping (TimerWheel) -> Void) {
    self.nextTurn = self.clock() + amount
    self.next = self.eventLoop.assumeIsolated().scheduleTask(in: amount) { [weak self] in
      if let self { work(self) }
    }
  }

  private func turn() {
    let late = self.clock() - self.nextTurn
    guard late > self.mostBehind else { return self.visitDue() }
    self.lose(late)
    self.schedule(in: self.mostBehind) { $0.visitDue() }
  }

  /// Time in which the loop stood still does not count, but for those who live by the world's.
  private func lose(_ amount: TimeAmount) {
    self.lost = self.lost + amount
    let ticks = Int(amount.nanoseconds / self.tick.nanoseconds)
    for ahead in 2..<max(2, self.slots.count) {
      let slot = (self.hand + ahead) % self.slots.count
      for rider in self.slots[slot].filter({ $0.isByTheWorldsTime }) {
        self.disarm(rider)
        self.place(rider, ahead: max(1, ahead - ticks))
      }
    }
  }

  private func visitDue() {
    let present = self.time
    self.turns.begin()
    repeat {
      guard self.visit() else {
        self.nextTurn = self.clock()
        return self.turns.wait(self)
      }
      self.due = []
    } while self.advance(to: present)
    if self.riders > 0 {
      self.scheduleTurn()
    } else {
      self.isTurning = false
    }
  }

  /// Whether another tick has come.
  private func advance(to present: NIODeadline) -> Bool {
    guard self.handTime + self.tick <= present else { return false }
    self.handTime = self.handTime + self.tick
    self.hand = (self.hand + 1) % self.slots.count
    swap(&self.due, &self.slots[self.hand])
    self.due.reverse()
    for (index, rider) in self.due.enumerated() {
      rider.wheelPlace.slot = Place.due
      rider.wheelPlace.index = Int32(index)
    }
    return true
  }

  /// Looks at who is still due when its turn comes: those before it may have taken it out, or armed it again. Whether that
  /// were all.
  private func visit() -> Bool {
    while let rider = self.due.last {
      guard self.turns.mayGoOn() else { return false }
      self.due.removeLast()
      rider.wheelPlace = Place()
      self.riders -= 1
      guard let deadline = rider.timeCame(self.handTime) else { continue }
      self.arm(rider, at: deadline)
    }
    return true
  }
}

extension TimerWheel: TurnTaker {
  func takeTurn() { self.turn() }
}

@available(*, unavailable)
extension TimerWheel: Sendable {}
