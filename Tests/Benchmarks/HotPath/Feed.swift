import Brokering
import Counting
import NIOCore
import Wire

/// Messages on their way from Redis to an event loop: read, parsed, handed over.
///
/// They are published while the loop stands still, so that all of them wait in its socket, in the same reads each time.
struct Feed {
  let gateway: Gateway
  let redisPort: Int

  /// Hears the feed, and says so when enough has come.
  final class Receiver: FeedReceiver {
    var expected = 0
    let signal: Int32

    init(signal: Int32) {
      self.signal = signal
    }

    func feedArrived(_ batch: [FeedDelivery]) {
      for delivery in batch { expected -= delivery.items.count }
      if expected == 0 { counting_send(signal, [1], 1) }
    }

    func feedLost() {}
    func feedRestored(presenceLost: Bool) {}
  }

  func count() async throws {
    var heard: [Int32] = [0, 0]
    var released: [Int32] = [0, 0]
    counting_pipe(&heard)
    counting_pipe(&released)
    let (heardEnd, signal, releaseEnd, release) = (heard[0], heard[1], released[0], released[1])
    let channel = ChannelName("feed:a")!
    let kept = NIOLoopBoundBox<Held?>.makeEmptyBox(valueType: Held.self, eventLoop: gateway.loop)
    let attached = gateway.loop.makePromise(of: Void.self)
    try await gateway.onLoop { [broker = gateway.broker, loop = gateway.loop] _ in
      let receiver = Receiver(signal: signal)
      let port = broker.makePort(on: loop, receiver: receiver)
      kept.value = Held(receiver: receiver, port: port)
      port.attach(channel) { attached.completeWith($0.map { _ in }.mapError { $0 as any Error }) }
    }
    try await attached.futureResult.get()

    let publisher = Client(redisPort)
    var byte: [UInt8] = [0]
    let counted = Array(repeating: [(64, true), (192, true)], count: 2 * Count.times).joined()
    let requests = [64: publishes(64), 192: publishes(192)]
    for (operations, isCounted) in [(64, false), (192, false)] + counted {
      gateway.loop.execute {
        kept.value!.receiver.expected = operations
        // The loop stands still from here on, until it is released.
        counting_send(signal, [1], 1)
        var byte: [UInt8] = [0]
        _ = counting_receive(releaseEnd, &byte, 1)
      }
      _ = counting_receive(heardEnd, &byte, 1)
      publish(requests[operations]!, operations, by: publisher)
      func run() {
        counting_send(release, [1], 1)
        _ = counting_receive(heardEnd, &byte, 1)
      }
      if isCounted { Count(name: "feed", operations: operations).run(run) } else { run() }
    }
  }

  struct Held {
    let receiver: Receiver
    let port: any BrokerPort
  }

  /// What publishes so many messages past the gateway, all in one request: a loop that stands still for long finds its
  /// timers late, and they would be counted.
  private func publishes(_ number: Int) -> [UInt8] {
    let data = "\"" + String(repeating: "x", count: 126) + "\""
    let name = "sluice:{feed:a}:feed"
    let requests = (1...number).map { offset in
      let payload = "Mfeedfeed \(offset) 1790000000000 -1\n\(data)"
      return
        "*3\r\n$7\r\nPUBLISH\r\n$\(name.utf8.count)\r\n\(name)\r\n$\(payload.utf8.count)\r\n\(payload)\r\n"
    }
    return Array(requests.joined().utf8)
  }

  /// Comes back when Redis has sent everything on.
  private func publish(_ request: [UInt8], _ number: Int, by client: Client) {
    client.send(request)
    var answer = [UInt8](repeating: 0, count: 4096)
    var expected = number * ":1\r\n".utf8.count
    while expected > 0 { expected -= counting_receive(client.descriptor, &answer, answer.count) }
    // In its next turn it has written everything that was to be written.
    _ = client.ask("*1\r\n$4\r\nPING\r\n")
  }
}
