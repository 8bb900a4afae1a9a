import Foundation
import NIOCore
import NIOPosix
public import RedisClient

/// A real server of one test: on a free port of loopback, in a directory of its own, without persistence.
public final class RedisServer: @unchecked Sendable {
  public let port: Int
  private let directory: URL
  private let arguments: [String]
  /// Used by one test, from one task at a time.
  private var process: Process?

  public init(_ arguments: [String] = []) async throws {
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

  public var address: RedisAddress { RedisAddress(host: "127.0.0.1", port: port) }
  public var settings: RedisSettings { RedisSettings(address: address) }

  /// Starts it, also again, and waits until it accepts connections.
  public func start() async throws {
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
  public func stop() {
    guard let process else { return }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    self.process = nil
  }

  public func freeze() {
    if let process { kill(process.processIdentifier, SIGSTOP) }
  }

  public func thaw() {
    if let process { kill(process.processIdentifier, SIGCONT) }
  }
}

public func freePort() async throws -> Int {
  let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
    .bind(host: "127.0.0.1", port: 0).get()
  let port = channel.localAddress!.port!
  try await channel.close().get()
  return port
}
