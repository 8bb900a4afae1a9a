import Foundation
import NIOCore
import NIOPosix
public import RedisClient

/// A real server of one test: on a free port of loopback, in a directory of its own, without persistence.
public final class RedisServer: @unchecked Sendable {
  public private(set) var port: Int
  private let directory: URL
  private let arguments: [String]
  private var fileLimit: Int?
  private let clock: FakeClock?
  /// Used by one test, from one task at a time.
  private var process: Process?

  /// - Parameters:
  ///   - fileLimit: how many bytes a file of it may have, as if the disk were full then; until `unlimitFiles`.
  ///   - clock: the clock that it goes by.
  public init(_ arguments: [String] = [], fileLimit: Int? = nil, clock: FakeClock? = nil) async throws {
    self.arguments = arguments
    self.fileLimit = fileLimit
    self.clock = clock
    directory = FileManager.default.temporaryDirectory.appending(path: "sluice-redis-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    port = try await freePort()
    // A free port may be somebody else's a moment later.
    for _ in 0..<5 where process == nil {
      try? await start()
      if process == nil { port = try await freePort() }
    }
    if process == nil { try await start() }
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
    let log = directory.appending(path: "log-\(UUID().uuidString)")
    process.executableURL = URL(filePath: "/bin/sh")
    // What is ignored stays so in the program: a write beyond the limit fails.
    let limit = fileLimit.map { "trap '' XFSZ; ulimit -S -f \($0 / 512); " } ?? ""
    process.environment = ProcessInfo.processInfo.environment.merging(clock?.environment ?? [:]) { $1 }
    process.arguments =
      [
        "-c", limit + #"exec "$@""#, "sh", "redis-server", "--port", "\(port)", "--bind", "127.0.0.1",
        "--save", "", "--dir", directory.path,
      ]
      + ["--logfile", log.path] + arguments
    try process.run()
    self.process = process
    do {
      try await eventually("redis-server accepts connections") {
        if !process.isRunning { throw NotInTime(description: "redis-server ended") }
        return (try? String(contentsOf: log, encoding: .utf8))?.contains("Ready to accept") ?? false
      }
    } catch {
      stop()
      throw error
    }
  }

  /// Ends it without a goodbye.
  public func stop() {
    guard let process else { return }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    self.process = nil
  }

  /// The disk has room again.
  public func unlimitFiles() throws {
    guard let process else { return }
    let prlimit = Process()
    prlimit.executableURL = URL(filePath: "/usr/bin/env")
    prlimit.arguments = ["prlimit", "--pid", "\(process.processIdentifier)", "--fsize=unlimited"]
    try prlimit.run()
    prlimit.waitUntilExit()
    fileLimit = nil
    guard prlimit.terminationStatus == 0 else { throw NotInTime(description: "prlimit failed") }
  }

  /// One command by `redis-cli`; what it answered.
  public func tell(_ command: String...) throws -> String {
    let client = Process()
    let output = Pipe()
    client.executableURL = URL(filePath: "/usr/bin/env")
    client.arguments = ["redis-cli", "-h", "127.0.0.1", "-p", "\(port)"] + command
    client.standardOutput = output
    try client.run()
    let answer = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    client.waitUntilExit()
    return answer.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The commands that it carries out meanwhile, also those of scripts, a line for each.
  public func commands(during body: () async throws -> Void) async throws -> [String] {
    let file = directory.appending(path: "commands-\(UUID().uuidString)")
    try Data().write(to: file)
    let heard = { try String(contentsOf: file, encoding: .utf8) }
    let monitor = Process()
    monitor.executableURL = URL(filePath: "/usr/bin/env")
    monitor.arguments = ["redis-cli", "-h", "127.0.0.1", "-p", "\(port)", "MONITOR"]
    monitor.standardOutput = try FileHandle(forWritingTo: file)
    try monitor.run()
    defer {
      // It goes on after a polite request.
      kill(monitor.processIdentifier, SIGKILL)
      monitor.waitUntilExit()
    }
    try await eventually("redis-cli hears the commands") { try heard().hasPrefix("OK") }
    try await body()
    let end = UUID().uuidString
    _ = try tell("ECHO", end)
    try await eventually("the last command is heard") { try heard().contains(end) }
    return try heard().split(separator: "\n").map(String.init)
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
