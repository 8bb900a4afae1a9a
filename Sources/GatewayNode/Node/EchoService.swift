import Telemetry
internal import RedisClient
private import NIOPosix
private import Transports
private import UnixSignals

/// The WebSocket codec alone, for conformance suites: every data message comes back.
public enum EchoService {
  /// Serves until `SIGTERM` or `SIGINT`; `bound` is told where.
  public static func serve(_ address: ListenAddress, bound: (String) -> Void) async throws {
    let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
    DescriptorLimit.raise()
    let group = MultiThreadedEventLoopGroup.singleton
    let server: EntryServer
    do {
      server = try await EchoServer.start(host: address.host, port: address.port, on: group)
    } catch {
      throw NodeFailure("cannot listen on \(address) (--listen): \(SystemReason.text(of: error))")
    }
    bound("ws://\(ListenAddress(server.localAddress))")
    for await _ in signals { break }
    try await server.stopListening()
  }
}
