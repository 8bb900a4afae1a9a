import Foundation
import Testing

/// `deploy/rolling-restart` of a cluster, under way or over.
struct RollingRestart {
  private let child: ChildProcess
  private let path: String

  init(_ cluster: Cluster, _ arguments: [String]) throws {
    path = "\(cluster.directory)/rolling-\(UInt32.random(in: .min ... .max))"
    child = try ChildProcess(
      ["\(Cluster.root)/deploy/rolling-restart", "--dir", cluster.directory, "--json"] + arguments,
      output: path
    )
  }

  /// One line of its report.
  struct Event: Decodable {
    let event: String
    let node: String?
    let step: String?
    let reason: String?
    let done: [String]?
    let left: [String]?
    let seconds: Double?
    let forced: Int?
  }

  var output: String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

  var events: [Event] {
    output.split(separator: "\n").compactMap { try? JSONDecoder().decode(Event.self, from: Data($0.utf8)) }
  }

  /// What it exited with.
  func exit(within limit: Duration) async throws -> Int32 {
    try await child.exit(within: limit)
  }
}
