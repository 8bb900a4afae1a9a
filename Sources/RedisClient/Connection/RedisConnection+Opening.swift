import NIOCore
import NIOPosix

extension RedisConnection {
  func openSocket() {
    let attempt = self.attempt
    let bound = NIOLoopBound(self, eventLoop: eventLoop)
    // Several sockets may be tried at the same time, one for each address of the name.
    ClientBootstrap(group: eventLoop)
      .connectTimeout(settings.connectTimeout)
      .channelOption(.socketOption(.so_keepalive), value: 1)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(.recvAllocator, value: receiveBuffer)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(RedisSocket(owner: bound.value))
        }
      }
      .connect(host: settings.address.host, port: settings.address.port)
      .assumeIsolated()
      .whenComplete { self.socketOpened($0, of: attempt) }
  }

  private func socketOpened(_ result: Result<any Channel, any Error>, of attempt: Int) {
    switch (phase, result) {
    case (.connecting, .success(let channel)) where attempt == self.attempt:
      do {
        opened(channel, try channel.pipeline.syncOperations.handler(type: RedisSocket.self))
      } catch {
        lost(.unreachable("\(settings.address): \(explain(error))"))
      }
    case (.connecting, .failure(let error)) where attempt == self.attempt:
      lost(.unreachable("\(settings.address): \(explain(error))"))
    case (_, .success(let channel)):
      channel.close(promise: nil)
    case (_, .failure):
      break
    }
  }

  func explainLoss(_ error: (any Error)?) -> String {
    guard let error else { return "\(settings.address) closed it" }
    return "\(settings.address): \(explain(error))"
  }

  private func explain(_ error: any Error) -> String {
    if case ChannelError.connectTimeout = error {
      return "no answer within \(settings.connectTimeout.nanoseconds / 1_000_000) ms"
    }
    return SystemReason.text(of: error)
  }
}
