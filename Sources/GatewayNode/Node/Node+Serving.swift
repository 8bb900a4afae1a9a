import Telemetry
private import Logging
private import NIOPosix
private import Sessions
private import UnixSignals

#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#else
  private import Darwin
#endif

extension Node {
  /// The whole life of a node process: starts, obeys signals, and answers the code to exit with.
  ///
  /// `SIGTERM` and `SIGINT` drain; another one ends the process at once. `SIGHUP` means nothing here.
  public static func serve(_ settings: NodeSettings) async throws -> Int32 {
    signal(SIGHUP, SIG_IGN)
    signal(SIGPIPE, SIG_IGN)
    DescriptorLimit.raise()
    DescriptorLimit.makeRoom(for: settings.descriptors.connections + DescriptorShares.reserve)
    MemoryLimit.keepLittle()
    let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: settings.eventLoops)
    let node = try await Node.start(settings, on: group)
    let obeying = Task {
      for await _ in signals {
        if node.status.standing.state == .stopped { exit(1) }
        node.signalled()
      }
    }
    defer { obeying.cancel() }
    return try await node.run()
  }
}
