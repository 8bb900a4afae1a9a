/// Decides who may come in now, and keeps room for those who were told to come back. Knows no clock: times are
/// nanoseconds of one.
///
/// A bucket that holds `burst` and fills at a rate, kept as virtual scheduling does: `taken` is when all that was let
/// in would have had their time at the rate. `promised` is the same of those who were told to come back, each of whom
/// has a turn of one period. What is promised and due, until somebody takes it or it lapses, is kept from those who
/// come for the first time, as far as the bucket can hold it.
struct AcceptQueue: Sendable {
  /// Nobody is told to stay away for longer.
  static let longestWait: Int64 = 60_000_000_000
  /// So long after its time a turn is kept: clients come up to a second behind it, and some round up to a whole second.
  static let lapse: Int64 = 3_000_000_000
  private static let places = 4_096

  private let burst: Int64
  /// Between two at the present rate.
  private(set) var period: Int64
  private var taken: Int64 = 0
  private var promised: Int64 = 0
  /// Up to where turns were taken, or have lapsed.
  private var settled: Int64 = 0
  /// Who was told to come back, by their hash.
  private var turns = Array(repeating: Turns(), count: places)

  init(period: Int64, burst: Int) {
    self.period = period
    self.burst = Int64(max(1, burst))
  }

  private var slack: Int64 { (burst - 1) * period }

  /// - Parameter client: the hash of who it is.
  mutating func knock(by client: Int, now: Int64, chance: () -> Double) -> AcceptGate.Answer {
    let place = Int(UInt(bitPattern: client) % UInt(AcceptQueue.places))
    let kept = comesBack(to: place, now: now) ? 0 : keptForOthers(now: now)
    let room = max(taken, now) + kept - slack
    guard room > now else {
      taken = max(taken, now) + period
      return .enter
    }
    let turn = max(promised, room)
    var wait = turn - now
    if wait <= AcceptQueue.longestWait {
      // Between the last turn and this one there is none.
      settled += turn - promised
      promised = turn + period
      turns[place].promise(turn, now: now)
    } else {
      // A queue that is too long is told a time in the second half of the longest one.
      wait = AcceptQueue.longestWait / 2 + Int64(chance() * 3e10)
    }
    // Behind its turn, so that the room is surely there.
    let late = Int64(chance() * min(1e9, 1e8 + Double(wait) / 10))
    return .comeBack(afterMS: Int((wait + late + 999_999) / 1_000_000))
  }

  /// What was taken of the burst stays taken. Who was told a time comes at it, whatever the rate is then.
  mutating func setPeriod(_ new: Int64, now: Int64) {
    let scale = Double(new) / Double(period)
    let rescaled = { (time: Int64) in time <= now ? time : now + Int64(Double(time - now) * scale) }
    period = new
    taken = rescaled(taken)
    promised = rescaled(promised)
    settled = min(promised, rescaled(settled))
  }

  /// Whether somebody who came now for the first time would be told to come back, or room is promised to others.
  func isBusy(now: Int64) -> Bool { taken - now > slack || promised > now }

  /// How long from now the last turn is over.
  func length(now: Int64) -> Int64 { max(0, promised - now) }

  /// Whether it is the turn of somebody of that place, who has taken it then.
  private mutating func comesBack(to place: Int, now: Int64) -> Bool {
    settled = max(settled, min(promised, now - AcceptQueue.lapse))
    guard settled < promised, turns[place].take(now: now) else { return false }
    settled = min(promised, settled + period)
    return true
  }

  /// What the turns that have come take. A full bucket holds nothing more for anybody.
  private func keptForOthers(now: Int64) -> Int64 {
    guard settled <= now else { return 0 }
    return min(slack, promised - settled, ((now - settled) / period + 1) * period)
  }
}

/// The turns of those whose hashes share a place: of one client, of all behind one address, rarely of strangers.
private struct Turns: Sendable {
  private var count: Int32 = 0
  private var next: Int64 = 0
  private var last: Int64 = 0

  mutating func promise(_ turn: Int64, now: Int64) {
    if count == 0 || now - last > AcceptQueue.lapse { (count, next, last) = (0, turn, turn) }
    count += 1
    last = max(last, turn)
  }

  /// Whether one of them is due. Who of them was told which time is not known: the rest are spread over what is left.
  mutating func take(now: Int64) -> Bool {
    guard count > 0, now >= next, now - last <= AcceptQueue.lapse else { return false }
    count -= 1
    next += (last - next) / Int64(count + 1)
    return true
  }
}
