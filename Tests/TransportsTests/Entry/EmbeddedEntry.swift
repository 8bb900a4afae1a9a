import NIOCore
import NIOEmbedded
import NIOHTTP1

@testable import Transports

/// One HTTP connection without a socket, and what it has answered.
final class EmbeddedEntry {
  let channel: EmbeddedChannel
  let loop: EntryLoop
  private(set) var output = ""
  /// Whose loop it is, if it is another's.
  private let host: EmbeddedEntry?

  init(limits: HTTPLimits = HTTPLimits(), _ addRoutes: (inout RouteTable) -> Void) throws {
    self.channel = EmbeddedChannel()
    self.host = nil
    self.loop = EntryLoop(eventLoop: self.channel.embeddedEventLoop, limits: limits)
    addRoutes(&self.loop.routes)
    try self.open()
  }

  /// Another connection of the same loop.
  init(beside other: EmbeddedEntry) throws {
    self.channel = EmbeddedChannel(loop: other.channel.embeddedEventLoop)
    self.host = other
    self.loop = other.loop
    try self.open()
  }

  private func open() throws {
    try self.channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    try EntryServer.configure(self.channel.pipeline.syncOperations, loop: self.loop)
  }

  deinit {
    self.channel.close(promise: nil)
    self.channel.embeddedEventLoop.run()
    // Tests keep what their routes were given, which knows its loop.
    if self.host == nil { self.loop.routes = RouteTable() }
  }

  /// Whether the connection has a parser at the moment.
  func hasParser() throws -> Bool {
    try self.channel.pipeline.syncOperations.handler(type: HTTPConnectionHandler.self).parser != nil
  }

  /// The routes most tests need.
  convenience init(limits: HTTPLimits = HTTPLimits()) throws {
    try self.init(limits: limits) { routes in
      routes.add(.GET, "/hello") { _, responder in
        responder.respond(.ok, headers: ["Content-Type": "text/plain"], body: ByteBuffer(string: "hello"))
      }
      routes.add(.POST, "/echo/{name}", bodyLimit: 100) { request, responder in
        var body = ByteBuffer(string: "\(request.parameters["name"] ?? "?"):")
        body.writeImmutableBuffer(request.body)
        responder.respond(.created, body: body)
      }
    }
  }

  func send(_ text: String) throws {
    try self.send(ByteBuffer(string: text))
  }

  func send(_ bytes: ByteBuffer) throws {
    try self.channel.writeInbound(bytes)
    try self.collect()
  }

  func advance(_ amount: TimeAmount) throws {
    self.channel.embeddedEventLoop.advanceTime(by: amount)
    try self.collect()
  }

  /// The client closes its half of the connection.
  func end() throws {
    self.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    try self.collect()
  }

  /// What was answered since the last call, without the date.
  func takeOutput() throws -> String {
    try self.collect()
    defer { self.output = "" }
    return self.output.split(separator: "\r\n", omittingEmptySubsequences: false)
      .filter { !$0.hasPrefix("Date: ") }.joined(separator: "\r\n")
  }

  /// The status codes of what was answered since the last call.
  func takeStatuses() throws -> [String] {
    try self.takeOutput().split(separator: "HTTP/1.").map { String($0.dropFirst(2).prefix(3)) }
  }

  private func collect() throws {
    self.channel.embeddedEventLoop.run()
    while let bytes = try self.channel.readOutbound(as: ByteBuffer.self) {
      self.output += String(buffer: bytes)
    }
  }
}
