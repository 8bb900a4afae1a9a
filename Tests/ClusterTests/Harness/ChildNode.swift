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
  private let process: Process

  /// Kills a node and starts it again, as it was.
  init(insteadOf name: String, in cluster: Cluster) async throws {
    let old = try #require(cluster.pid(of: name), "\(name) does not run")
    let command = try String(contentsOfFile: "/proc/\(old)/cmdline", encoding: .utf8).split(separator: "\0")
    try await cluster.kill9(name)
    let log = try #require(FileHandle(forWritingAtPath: "\(cluster.directory)/logs/\(name).log"))
    try log.seekToEnd()
    process = Process()
    process.executableURL = URL(fileURLWithPath: String(command[0]))
    process.arguments = command.dropFirst().map(String.init)
    process.environment = Shell.environment
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = log
    process.standardError = log
    try process.run()
    let pid = process.processIdentifier
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

  /// The status it exited with, once it has. A signal that killed it is told as 128 and more.
  func exitStatus() async throws -> Int32 {
    try await eventually("an exit status") {
      guard !process.isRunning else { return nil }
      return process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    }
  }
}
