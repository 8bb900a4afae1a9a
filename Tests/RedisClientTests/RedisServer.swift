import Foundation
import NIOCore
import NIOPosix
import RedisClient

/// A real server of one test: on a free port of loopback, in a directory of its own, without persistence.
final class RedisServer: @unchecked Sendable {
  let port: Int
  private let directory: URL
  private let arguments: [String]
  /// Used by one test, from one task at a time.
  private var process: Process?

  init(_ arguments: [String] = []) async throws {
    self.arguments = arguments
    directory = FileManager.default.temporaryDirectory.appending(path: "sluice-redis-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    port = try await freePort()
    try await start()
  }

  deinit {
    stop()
    try? FileManager.default.removeItem(at: directory)
  }

  var address: RedisAddress { RedisAddress(host: "127.0.0.1", port: port) }
  var settings: RedisSettings { RedisSettings(address: address) }

  /// Starts it, also again, and waits until it accepts connections.
  func start() async throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments =
      ["redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--dir", directory.path]
      + arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    self.process = process
    let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
    try await eventually("redis-server accepts connections") {
      let channel = try? await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .connect(to: address).get()
      try? await channel?.close().get()
      return channel != nil
    }
  }

  /// Ends it without a goodbye.
  func stop() {
    guard let process else { return }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    self.process = nil
  }

  func freeze() {
    if let process { kill(process.processIdentifier, SIGSTOP) }
  }

  func thaw() {
    if let process { kill(process.processIdentifier, SIGCONT) }
  }
}

func freePort() async throws -> Int {
  let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
    .bind(host: "127.0.0.1", port: 0).get()
  let port = channel.localAddress!.port!
  try await channel.close().get()
  return port
}

/// A condition did not come true in time.
struct NotInTime: Error, CustomStringConvertible {
  var description: String
}

/// Waits for a condition.
func eventually(
  _ what: String,
  within limit: Duration = .seconds(15),
  _ condition: () async throws -> Bool
) async throws {
  let end = ContinuousClock.now + limit
  while ContinuousClock.now < end {
    if try await condition() { return }
    try await Task.sleep(for: .milliseconds(5))
  }
  throw NotInTime(description: "not in time: \(what)")
}
