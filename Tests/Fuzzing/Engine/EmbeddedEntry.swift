import NIOCore
import NIOEmbedded
import TestSockets

@testable import Transports

/// One HTTP connection without a socket, and all that it has answered.
final class EmbeddedEntry {
  private let channel = EmbeddedChannel()
  private(set) var output: [UInt8] = []

  /// - Parameter left: what is left in the socket when the first answer finds it broken, if it does.
  init(limits: HTTPLimits, left: ByteBuffer? = nil, _ addRoutes: (inout RouteTable) -> Void) throws {
    let loop = EntryLoop(eventLoop: channel.embeddedEventLoop, limits: limits)
    addRoutes(&loop.routes)
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    try EntryServer.configure(channel.pipeline.syncOperations, loop: loop)
    if let left { try channel.pipeline.syncOperations.addHandler(BrokenSocket(left: left), position: .first) }
  }

  func send(_ bytes: ByteBuffer) throws {
    try channel.writeInbound(bytes)
    try collect()
  }

  /// The client closes its half of the connection.
  func end() throws {
    channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    try collect()
  }

  func advance(_ amount: TimeAmount) throws {
    channel.embeddedEventLoop.advanceTime(by: amount)
    try collect()
  }

  /// Lets go of the connection.
  func finish() {
    _ = try? channel.finish(acceptAlreadyClosed: true)
  }

  private func collect() throws {
    channel.embeddedEventLoop.run()
    while let bytes = try channel.readOutbound(as: ByteBuffer.self) { output += bytes.readableBytesView }
  }
}
