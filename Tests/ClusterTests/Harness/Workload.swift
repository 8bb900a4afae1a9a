import NIOCore
import NIOPosix
import SluiceClient
import Testing
import Wire

/// Publishes at a steady rate, each message once, until it is stopped.
final class Workload: Sendable {
  let ledger = Ledger()
  let channels: [ChannelName]

  private final class Driver {
    let publisher: Publisher
    var pace: RepeatedTask?
    var next = 0

    init(_ publisher: Publisher) { self.publisher = publisher }
  }

  private let driver: Confined<Driver>

  /// - Parameters:
  ///   - rate: publishes per second, over all channels in turn.
  ///   - payload: bytes of text in each message.
  init(
    to endpoints: [Endpoint],
    _ channels: [ChannelName],
    rate: Int,
    connections: Int = 8,
    payload: Int = 60
  ) async throws {
    self.channels = channels
    driver = try await Confined(on: MultiThreadedEventLoopGroup.singleton.any()) { loop in
      Driver(Publisher(to: endpoints, connections: connections, on: loop))
    }
    let ledger = ledger
    let bound = driver
    let text = String(repeating: "x", count: payload)
    try await driver.use { driver in
      let start = NIODeadline.now()
      let period = TimeAmount.milliseconds(10)
      driver.pace = bound.loop.scheduleRepeatedTask(initialDelay: period, delay: period) { _ in
        bound.use(soon: { driver in
          guard driver.pace != nil else { return }
          let due = Int((NIODeadline.now() - start).nanoseconds / 1_000_000) * rate / 1_000
          while driver.next < due {
            Workload.publish(driver.next, text, channels, driver.publisher, ledger)
            driver.next += 1
          }
        })
      }
    }
  }

  private static func publish(
    _ number: Int,
    _ text: String,
    _ channels: [ChannelName],
    _ publisher: Publisher,
    _ ledger: Ledger
  ) {
    let channel = channels[number % channels.count]
    let data = ByteBuffer(string: #"{"number":\#(number),"text":"\#(text)"}"#)
    publisher.publish(channel, data: data, deadline: .now() + .seconds(60)) { result in
      switch result {
      case .success(let receipt):
        if let cursor = receipt.cursor { ledger.acknowledged(channel, cursor, data) }
      case .failure(let failure):
        ledger.failed("\(failure.status.map(String.init) ?? "no answer"): \(failure.reason)")
      }
    }
  }

  /// Publishes nothing more, and waits until everything is answered or given up.
  func finish(within limit: Duration = .seconds(70)) async throws {
    try await driver.use { driver in
      driver.pace?.cancel()
      driver.pace = nil
    }
    try await eventually("the last answers", within: limit, every: .milliseconds(20)) {
      try await driver.use { $0.publisher.unsettled } == 0
    }
    try await driver.use { $0.publisher.close() }
  }
}
