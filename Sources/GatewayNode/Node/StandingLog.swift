internal import Admission
internal import Logging
internal import Telemetry
internal import Wire

/// Says in the log when a node is ill and when it is well again, once each.
struct StandingLog {
  private let log: Logger
  private var pressure = MemoryPressure.Level.none
  private var isIll = false

  init(_ log: Logger) {
    self.log = log
  }

  /// - Parameter illness: why the node is not ready, although it neither starts nor drains.
  mutating func measured(_ pressure: MemoryPressure.Level, _ illness: ClientError?) {
    if pressure != self.pressure {
      let text: Logger.Message =
        switch pressure {
        case .none: "there is enough memory again"
        case .refusing: "memory runs out: nobody new is taken"
        case .shedding: "memory has run out: the slowest clients are sent away"
        }
      log.notice(text)
      self.pressure = pressure
    }
    guard (illness != nil) != isIll else { return }
    isIll = illness != nil
    if let illness {
      log.warning("the node is not ready", metadata: [LogKey.error: "\(illness.message)"])
    } else {
      log.notice("the node is ready again")
    }
  }
}
