public import NIOCore

/// A server of which every path is a WebSocket that sends back what it gets, up to 16 MiB a message.
public enum EchoServer {
  public static let maximumMessageSize = 16 * 1024 * 1024

  /// Binds and serves until it is stopped.
  /// - Throws: when the address cannot be bound.
  public static func start(host: String, port: Int, on group: any EventLoopGroup) async throws -> EntryServer
  {
    var settings = EntryServer.Settings(host: host, port: port)
    settings.receiveBufferSize = 64 * 1024
    return try await EntryServer.start(settings, on: group) { _ in
      var routes = RouteTable()
      routes.fallback = { request, responder in
        let settings = WebSocketSettings(maximumMessageSize: Self.maximumMessageSize)
        WebSocketUpgrade.perform(request, responder, settings: settings) { _ in WebSocketEcho() }
      }
      return routes
    }
  }
}
