import NIOCore
import SluiceClient
import Wire

/// Publishes on one loop: at its times, whatever became of what was published before, or so many at once.
final class PublishPump {
  /// Retries of one publish end after so long.
  private static let patience = TimeAmount.seconds(60)
  /// Timers are no finer.
  private static let shortestPause = TimeAmount.microseconds(250)

  private let loop: any EventLoop
  private let lane: any PublishLane
  private let channels: [ChannelName]
  private let payload: LoadPayload
  private let ledger: Ledger
  private let counters: LoadCounters?
  private var schedule: PublishSchedule?
  private var timer: Scheduled<Void>?
  /// Of a closed loop: the next number, and the step between two.
  private var number: Int
  private let step: Int
  private var isEnded = false

  init(
    on loop: any EventLoop,
    _ lane: any PublishLane,
    _ channels: [ChannelName],
    _ payload: LoadPayload,
    _ ledger: Ledger,
    _ counters: LoadCounters?,
    pump: Int,
    of pumps: Int
  ) {
    self.loop = loop
    self.lane = lane
    self.channels = channels
    self.payload = payload
    self.ledger = ledger
    self.counters = counters
    number = pump
    step = pumps
  }

  /// Publishes at a rate.
  func begin(_ schedule: PublishSchedule) {
    self.schedule = schedule
    tick()
  }

  /// Publishes as fast as answers come, so many at a time.
  func begin(inFlight count: Int) {
    for _ in 0..<count { publishNext() }
  }

  /// Publishes nothing more.
  func end() {
    isEnded = true
    timer?.cancel()
    timer = nil
  }

  var unsettled: Int { lane.unsettled }
  func close() { lane.close() }

  private func tick() {
    guard !isEnded else { return }
    while let due = schedule?.next(at: .now()) { publish(due.number, due: due.due) }
    guard let schedule else { return }
    let next = max(schedule.due, .now() + PublishPump.shortestPause)
    timer = loop.assumeIsolated().scheduleTask(deadline: next) { self.tick() }
  }

  private func publishNext() {
    guard !isEnded else { return }
    publish(number, due: .now()) { self.publishNext() }
    number += step
  }

  private func publish(_ number: Int, due: NIODeadline, then: (() -> Void)? = nil) {
    let channel = channels[number % channels.count]
    let data = payload.data(due: due, number: number)
    let ledger = ledger
    let counters = counters
    counters?.isDue()
    lane.publish(channel, data, deadline: .now() + PublishPump.patience) { result in
      switch result {
      case .success(let cursor):
        if let cursor { ledger.acknowledged(channel, cursor, data) }
        counters?.acknowledged(due: due.microseconds)
      case .failure(let failure):
        ledger.failed(failure.reason)
        counters?.failedToPublish()
      }
      then?()
    }
  }
}

@available(*, unavailable)
extension PublishPump: Sendable {}
