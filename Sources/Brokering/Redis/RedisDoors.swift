import NIOCore

/// The way from a port's loop to the core's.
struct RedisCoreDoor: Sendable {
  let loop: any EventLoop
  let core: NIOLoopBoundBox<RedisBrokerCore?>

  func enter(_ work: @escaping @Sendable (RedisBrokerCore) -> Void) {
    loop.execute { [core] in
      if let core = core.value { work(core) }
    }
  }
}

/// The way from the core's loop to a port's.
struct RedisPortDoor: Sendable {
  let loop: any EventLoop
  let port: NIOLoopBound<WeakRedisPort>

  func enter(_ work: @escaping @Sendable (RedisPort) -> Void) {
    loop.execute { [port] in
      if let port = port.value.port { work(port) }
    }
  }
}

final class WeakRedisPort {
  weak var port: RedisPort?

  init(_ port: RedisPort) {
    self.port = port
  }
}

/// A completion of a port, carried over the core's loop and called on its own.
struct RedisReturn<Answer: Sendable>: Sendable {
  private let loop: any EventLoop
  private let done: NIOLoopBound<(Result<Answer, BrokerError>) -> Void>

  /// On the port's loop.
  init(_ loop: any EventLoop, _ done: @escaping (Result<Answer, BrokerError>) -> Void) {
    self.loop = loop
    self.done = NIOLoopBound(done, eventLoop: loop)
  }

  func answer(_ result: Result<Answer, BrokerError>) {
    loop.execute { [done] in done.value(result) }
  }
}
