import Counting

/// Drives the hot path of a gateway in this process, over real sockets and with a real Redis, and counts what it does:
/// allocations here, instructions where Callgrind runs it. Its argument is Redis's port; with `deflate` instead it
/// measures compression alone.
@main
struct HotPath {
  /// Not asynchronous itself: what the main thread then waits in is beyond Debian's Callgrind.
  static func main() {
    Task.detached {
      do {
        if CommandLine.arguments.dropFirst().first == "deflate" {
          try Compressing.measure()
        } else {
          try await count()
        }
        counting_exit(0)
      } catch {
        print("hot-path: \(error)")
        counting_exit(1)
      }
    }
    counting_wait()
  }

  private static func count() async throws {
    guard let redisPort = CommandLine.arguments.dropFirst().first.flatMap({ Int($0) }) else {
      throw Miscount(description: "the port of a Redis is missing")
    }
    try Parsing.countCommands()
    let gateway = try await Gateway.start(redisPort: redisPort)
    try await Deliveries.count("websocket", gateway) { gateway.webSocket($0).client }
    try await Deliveries.count("sse", gateway) { gateway.eventStream($0) }
    let exchanges = Exchanges(gateway: gateway)
    try exchanges.countPublishes()
    try await exchanges.countPolls()
    exchanges.countSetUps()
    try await Feed(gateway: gateway, redisPort: redisPort).count()
  }
}
