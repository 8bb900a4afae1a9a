import Foundation
import NIOConcurrencyHelpers
import NIOHTTP1
import SluiceClient
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// A real cluster of its own: Redis, three nodes and nginx on free ports, started by `deploy/local`.
final class Cluster: Sendable {
  static let nodeNames = ["gateway-1", "gateway-2", "gateway-3"]
  static let names = ["redis"] + nodeNames + ["nginx"]
  /// Short, so that a drain is seen whole within seconds.
  static let settle = Duration.seconds(1)
  static let drainWindow = Duration.seconds(4)

  /// The one that the tests of the suite share.
  @TaskLocal static var current: Cluster?

  let directory: String
  let binary: String
  let redisPort: Int
  private let nginxPort: Int
  private let tlsPort: Int
  private let nodePorts: [Int]
  private let operatorPorts: [Int]
  private let guardian: ChildProcess
  /// The guardian's standard input, which it reads to its end.
  private let lifeline: Int32
  private let sawFailure = NIOLockedValueBox(false)

  /// The package's folder.
  static let root: String = {
    var folder = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { folder.deleteLastPathComponent() }
    return folder.path
  }()

  init() throws {
    binary = ProcessInfo.processInfo.environment["SLUICE_BINARY"] ?? "\(Cluster.root)/.build/debug/sluice"
    guard FileManager.default.isExecutableFile(atPath: binary) else {
      throw Shell.Failed(description: "there is no program at \(binary): build it, or set SLUICE_BINARY")
    }
    directory = "\(NSTemporaryDirectory())sluice-\(UInt32.random(in: .min ... .max))"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let ports = try FreePorts.pick(9)
    nginxPort = ports[0]
    redisPort = ports[1]
    nodePorts = Array(ports[2..<5])
    operatorPorts = Array(ports[5..<8])
    tlsPort = ports[8]

    // Whatever becomes of this process: when its end of the pipe is closed, everything is taken down.
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw Shell.Failed(description: "no pipe") }
    defer { close(ends[0]) }
    lifeline = ends[1]
    let takeDown = #"trap '' INT TERM; read -r _; "$1/deploy/local" down --now --dir "$2"; rm -rf "$2""#
    guardian = try ChildProcess(
      ["setsid", "bash", "-c", takeDown, "guardian", Cluster.root, directory],
      input: ends[0]
    )
  }

  // MARK: addresses

  var nginx: Endpoint { Endpoint(host: "127.0.0.1", port: nginxPort) }

  /// The same with a certificate that signs itself.
  var nginxOverTLS: Endpoint { Endpoint(host: "127.0.0.1", port: tlsPort) }

  /// The public listener of a node, by its place in `nodeNames`.
  func node(_ index: Int) -> Endpoint { Endpoint(host: "127.0.0.1", port: nodePorts[index]) }

  /// The operator listener of a node.
  func operating(_ index: Int) -> Endpoint { Endpoint(host: "127.0.0.1", port: operatorPorts[index]) }

  // MARK: the whole

  /// Starts what does not run and waits until all is ready.
  func up() async throws {
    let ports = { (ports: [Int]) in ports.map(String.init).joined(separator: ",") }
    let outcome = try await Shell.run(
      [
        "\(Cluster.root)/deploy/local", "up", "--dir", directory, "--binary", binary, "--no-build",
        "--nginx-port", "\(nginxPort)", "--tls-port", "\(tlsPort)",
        "--redis-port", "\(redisPort)", "--node-ports", ports(nodePorts), "--operator-ports",
        ports(operatorPorts), "--settle", "\(Cluster.settle.components.seconds)s",
        "--drain-window", "\(Cluster.drainWindow.components.seconds)s",
      ],
      in: directory
    )
    guard outcome.status == 0 else {
      throw Shell.Failed(description: "deploy/local up failed:\n\(outcome.output)\n\(logs)")
    }
    try await eventually("every node behind nginx", every: .milliseconds(100)) {
      try await nodesBehindNginx() == 3
    }
  }

  /// nginx leaves a node that has failed alone for a moment.
  private func nodesBehindNginx() async throws -> Int {
    var seen: Set<String> = []
    for _ in 0..<30 where seen.count < 3 {
      let route = UInt32.random(in: .min ... .max)
      let socket = try await Socket(to: nginx, path: "/v1/socket?route=\(route)")
      if !socket.isClosed { seen.insert(try await socket.welcome().node) }
      socket.abort()
    }
    return seen.count
  }

  /// A `?route=` with which nginx goes to a node, by its place in `nodeNames`.
  func route(to index: Int) async throws -> String {
    try await eventually("a way to \(Cluster.nodeNames[index])") {
      let route = "\(UInt32.random(in: .min ... .max))"
      let socket = try await Socket(to: nginx, path: "/v1/socket?route=\(route)")
      defer { socket.abort() }
      return try await socket.welcome().node == Cluster.nodeNames[index] ? route : nil
    }
  }

  /// Starts again what an earlier test has left broken.
  func makeWhole() async throws {
    for name in Cluster.names where pid(of: name) == nil { return try await up() }
    for index in nodePorts.indices {
      let drain = HTTPRequest(.DELETE, "/v1/nodes/\(Cluster.nodeNames[index])/drain")
      _ = try? await HTTP.send(drain, to: operating(index))
      let answer = try? await HTTP.get(node(index), "/readyz")
      guard answer?.status == .ok else { return try await up() }
    }
  }

  /// Stops everything; the guardian does the work.
  func down() async throws {
    if sawFailure.withLockedValue({ $0 }) { print(logs) }
    close(lifeline)
    _ = try await guardian.exit(within: .seconds(60))
  }

  /// The logs are printed at the end.
  func noteFailure() { sawFailure.withLockedValue { $0 = true } }

  var logs: String {
    Cluster.names.map { name in
      let log = (try? String(contentsOfFile: "\(directory)/logs/\(name).log", encoding: .utf8)) ?? "no log"
      return "--- \(name)\n" + log.split(separator: "\n").suffix(60).joined(separator: "\n")
    }.joined(separator: "\n")
  }

  // MARK: parts

  /// The process of a part, while it lives.
  func pid(of name: String) -> pid_t? {
    guard let text = try? String(contentsOfFile: "\(directory)/run/\(name).pid", encoding: .utf8),
      let pid = text.split(whereSeparator: \.isWhitespace).first.flatMap({ pid_t($0) }),
      let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
      let state = stat.split(separator: ")").last?.split(separator: " ").first, state != "Z"
    else { return nil }
    return pid
  }

  func signal(_ name: String, _ signal: Int32) throws {
    let pid = try #require(self.pid(of: name), "\(name) does not run")
    guard kill(pid, signal) == 0 else { throw Shell.Failed(description: "\(name) took no signal \(signal)") }
  }

  /// Kills a part and waits until it is gone.
  func kill9(_ name: String) async throws {
    try signal(name, SIGKILL)
    try await eventually("the end of \(name)", holds: { pid(of: name) == nil })
  }

  /// What `redis-cli` answers.
  func redis(_ command: String...) async throws -> String {
    let outcome = try await Shell.run(["redis-cli", "-p", "\(redisPort)"] + command, in: directory)
    guard outcome.status == 0 else { throw Shell.Failed(description: outcome.output) }
    return outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// How often Redis has carried out a command.
  func redisCalls(of command: String) async throws -> Int {
    let stats = try await redis("INFO", "commandstats")
    let line = stats.split(whereSeparator: \.isNewline).first { $0.hasPrefix("cmdstat_\(command):") }
    return line.flatMap { $0.firstMatch(of: /calls=([0-9]+)/) }.flatMap { Int($0.1) } ?? 0
  }

  /// The resident memory of a part, in bytes.
  func memory(of name: String) throws -> Int {
    let pid = try #require(self.pid(of: name), "\(name) does not run")
    let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
    let line = try #require(status.firstMatch(of: /VmRSS:\s+([0-9]+) kB/))
    return try #require(Int(line.1)) * 1_024
  }
}
