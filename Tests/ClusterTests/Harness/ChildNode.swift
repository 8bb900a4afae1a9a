import Foundation
import NIOHTTP1
import SluiceClient
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// A node that is a child of this process, so that its exit status can be read. `deploy/local` knows it as the
/// one that it takes the place of.
final class ChildNode: Sendable {
  private let process: ChildProcess

  /// Kills a node and starts it again, as it was, or with further flags, or variables of its environment.
  init(
    insteadOf name: String,
    in cluster: Cluster,
    _ flags: [String] = [],
    environment: [String: String] = [:]
  ) async throws {
    let old = try #require(cluster.pid(of: name), "\(name) does not run")
    let command = try String(contentsOfFile: "/proc/\(old)/cmdline", encoding: .utf8).split(separator: "\0")
    try await cluster.kill9(name)
    process = try ChildProcess(
      ["env"] + environment.map { "\($0.key)=\($0.value)" } + command.map(String.init) + flags,
      output: "\(cluster.directory)/logs/\(name).log"
    )
    let pid = process.pid
    let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
    let facts = try #require(stat.split(separator: ")").last).split(separator: " ")
    try "\(pid) \(facts[19])\n".write(
      toFile: "\(cluster.directory)/run/\(name).pid",
      atomically: true,
      encoding: .utf8
    )
    let index = try #require(Cluster.nodeNames.firstIndex(of: name))
    try await eventually("a ready \(name)") {
      (try? await HTTP.get(cluster.node(index), "/readyz"))?.status == .ok
    }
  }

  /// The status it exited with, once it has.
  func exitStatus() async throws -> Int32 {
    try await process.exit(within: .seconds(20))
  }
}
