import Admission
import Brokering
import Delivery
import NIOCore
import NIOEmbedded
import Telemetry
import Wire

@testable import Transports

/// What serves clients on one loop, without a socket: time stands still, and nothing is answered that takes a turn of the
/// loop, until it is advanced.
final class EmbeddedWorker {
  let entry: EmbeddedEntry
  let metrics: TransportMetrics
  let delivery = DeliveryMetrics()
  private(set) var worker: Worker!
  private var clients: [EmbeddedEntry] = []

  init(
    _ broker: any Broker = MemoryBroker(namespaces: Namespaces(), incarnation: "n/1"),
    _ change: (inout TransportContext) -> Void = { _ in }
  ) throws {
    var context = TransportContext(node: "n", namespaces: Namespaces())
    change(&context)
    self.metrics = context.metrics
    self.entry = try EmbeddedEntry { _ in }
    self.worker = Worker(
      entry: self.entry.loop,
      broker: broker,
      settings: DeliverySettings(),
      deliveryMetrics: self.delivery,
      context: context
    )
    self.worker.addRoutes(to: &self.entry.loop.routes)
    // Clients have connections of their own.
    self.entry.channel.close(promise: nil)
    self.entry.channel.embeddedEventLoop.run()
  }

  deinit {
    // What is closed lets its worker go once no grace holds it, and what the worker does each second ends with it.
    for client in self.clients { client.channel.close(promise: nil) }
    self.advance(.seconds(10))
    self.worker = nil
    self.advance(.seconds(2))
  }

  /// A client that has sent a request from behind a proxy. Its loop has not had a turn since.
  /// - Parameters:
  ///   - headers: beside the usual ones, each with its line break.
  ///   - socket: stands between it and everything else.
  @discardableResult
  func client(
    _ request: String,
    headers: String = "",
    behind socket: (any ChannelHandler)? = nil
  ) throws -> EmbeddedEntry {
    let client = try EmbeddedEntry(beside: self.entry)
    self.clients.append(client)
    if let socket { try client.channel.pipeline.syncOperations.addHandler(socket, position: .first) }
    try client.channel.writeInbound(
      ByteBuffer(string: "\(request) HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n\(headers)\r\n")
    )
    return client
  }

  func advance(_ amount: TimeAmount = .milliseconds(100)) {
    self.entry.channel.embeddedEventLoop.advanceTime(by: amount)
  }

  func publish(_ data: String, to channel: ChannelName) {
    self.worker.shard.port.publish(Publication(channel: channel, data: ByteBuffer(string: data))) { _ in }
    self.advance()
  }

  /// How many are present in a channel; nil when that is not answered.
  func members(of channel: ChannelName) -> Int? {
    var count: Int?
    self.worker.shard.port.members(of: channel, limit: 1, after: nil) { count = try? $0.get().count }
    self.advance()
    return count
  }
}
