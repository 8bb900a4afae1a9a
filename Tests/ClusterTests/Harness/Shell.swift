import Foundation

/// Runs programs to their end.
enum Shell {
  struct Outcome: Sendable {
    let status: Int32
    /// Standard output and error together.
    let output: String
  }

  struct Failed: Error, CustomStringConvertible {
    let description: String
  }

  /// Runs a program. Its output goes through a file in `folder`: a pipe would stay open as long as what it starts.
  static func run(_ command: [String], in folder: String) async throws -> Outcome {
    let path = "\(folder)/output-\(UInt32.random(in: .min ... .max))"
    let child = try ChildProcess(command, output: path)
    let status = try await child.exit(within: .seconds(150))
    let output = try String(contentsOfFile: path, encoding: .utf8)
    try FileManager.default.removeItem(atPath: path)
    return Outcome(status: status, output: output)
  }
}
