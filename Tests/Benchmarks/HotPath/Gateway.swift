import Brokering
import Delivery
import Logging
import NIOCore
import NIOPosix
import RedisClient
import Transports
import Wire

/// What a node serves clients with, on one event loop of this process, with a real Redis.
struct Gateway {
  let loop: any EventLoop
  let broker: RedisBroker
  let port: Int
  /// There from the start on.
  let worker: NIOLoopBoundBox<Worker?>

  static func start(redisPort: Int) async throws -> Gateway {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let loop = group.next()
    // Callgrind makes everything slow, and what happens by the clock is not to be counted.
    var redis = RedisSettings(address: RedisAddress(host: "127.0.0.1", port: redisPort))
    redis.commandTimeout = .minutes(5)
    redis.feedSilence = .hours(1)
    var settings = RedisBrokerSettings(redis: redis)
    settings.heartbeat = .hours(1)
    settings.lease = .hours(6)
    settings.sweep = .hours(1)
    settings.probe = .hours(1)
    let namespaces = Namespaces()
    var context = TransportContext(node: "counted", namespaces: namespaces)
    context.heartbeat = .hours(1)
    context.streamComment = .hours(1)
    let (deliveryMetrics, transports) = (DeliveryMetrics(), context)
    var log = Logger(label: "hot-path")
    log.logLevel = .error
    let broker = RedisBroker(
      settings,
      namespaces: namespaces,
      incarnation: "counted/00000000",
      on: loop,
      logger: log
    )
    let box = NIOLoopBoundBox<Worker?>.makeEmptyBox(valueType: Worker.self, eventLoop: loop)
    let server = try await EntryServer.start(.init(host: "127.0.0.1", port: 0), on: group) { entry in
      let worker = Worker(
        entry: entry,
        broker: broker,
        settings: DeliverySettings(),
        deliveryMetrics: deliveryMetrics,
        context: transports
      )
      box.value = worker
      var routes = RouteTable()
      worker.addRoutes(to: &routes)
      return routes
    }
    try await broker.start()
    return Gateway(loop: loop, broker: broker, port: server.localAddress.port!, worker: box)
  }

  /// Runs on the loop, with nothing in between.
  func onLoop<Answer: Sendable>(_ body: @escaping @Sendable (Worker) throws -> Answer) async throws -> Answer
  {
    try await loop.submit { [worker] in try body(worker.value!) }.get()
  }

  /// A subscriber, and where its channel stands.
  func webSocket(_ channel: String) -> (client: Client, cursor: String) {
    let client = Client(port)
    client.send(Client.upgrade)
    let welcome = client.wait(for: "heartbeat", after: "")
    client.send(Client.frame(#"{"type":"subscribe","id":1,"channel":"\#(channel)"}"#))
    let answer = client.wait(for: "resumed", after: welcome)
    let cursor = answer.split(separator: #""cursor":""#).last!.prefix { $0 != "\"" }
    return (client, String(cursor))
  }

  func eventStream(_ channel: String) -> Client {
    let client = Client(port)
    client.send(Client.get("/v1/stream?channels=\(channel)"))
    _ = client.wait(for: "heartbeat", after: "")
    return client
  }
}
