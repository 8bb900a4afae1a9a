import Foundation
import NIOHTTP1
import SluiceClient
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// `sluice serve` by itself, with options of its own.
struct LoneNode {
  let endpoint: Endpoint
  /// Its operator listener.
  let backends: Endpoint
  let process: ChildProcess

  /// Runs one until `body` is done.
  /// - Parameters:
  ///   - file: becomes its `--config`.
  ///   - descriptors: that it may have.
  static func run(
    _ options: [String],
    file: String? = nil,
    descriptors: Int? = nil,
    _ body: (LoneNode) async throws -> Void
  ) async throws {
    let cluster = try await ClusterTests.cluster()
    let ports = try FreePorts.pick(2)
    var command = [
      cluster.binary, "serve", "--listen", "127.0.0.1:\(ports[0])", "--operator-listen",
      "127.0.0.1:\(ports[1])",
    ]
    if let file {
      let path = "\(cluster.directory)/lone-\(ports[0]).yaml"
      try file.write(toFile: path, atomically: true, encoding: .utf8)
      command += ["--config", path]
    }
    if let descriptors { command = ["sh", "-c", "ulimit -n \(descriptors); exec \"$@\"", "sh"] + command }
    let node = LoneNode(
      endpoint: Endpoint(host: "127.0.0.1", port: ports[0]),
      backends: Endpoint(host: "127.0.0.1", port: ports[1]),
      process: try ChildProcess(command + options, output: "\(cluster.directory)/logs/lone.log")
    )
    let outcome: Result<Void, any Error>
    do {
      try await eventually("a ready node") {
        (try? await HTTP.get(node.backends, "/readyz"))?.status == .ok
      }
      outcome = .success(try await body(node))
    } catch {
      outcome = .failure(error)
    }
    if node.process.exitStatus == nil { kill(node.process.pid, SIGKILL) }
    _ = try await node.process.exit(within: .seconds(20))
    try outcome.get()
  }

  /// Its resident memory, in bytes.
  func memory() throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(process.pid)/status", encoding: .utf8)
    let line = try #require(status.firstMatch(of: /VmRSS:\s+([0-9]+) kB/))
    return try #require(Int(line.1)) * 1_024
  }

  /// The processor time that it has taken, user and system.
  func processorTime() throws -> Duration {
    let stat = try String(contentsOfFile: "/proc/\(process.pid)/stat", encoding: .utf8)
    let facts = try #require(stat.split(separator: ")").last).split(separator: " ")
    let ticks = try #require(Int(facts[11])) + (try #require(Int(facts[12])))
    return .milliseconds(ticks * 1_000 / sysconf(Int32(_SC_CLK_TCK)))
  }
}
