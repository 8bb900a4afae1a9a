import Foundation
import NIOConcurrencyHelpers

/// Runs programs.
enum Shell {
  struct Outcome: Sendable {
    let status: Int32
    /// Standard output and error together.
    let output: String
  }

  struct Failed: Error, CustomStringConvertible {
    let description: String
  }

  /// Runs a program to its end. Its output goes through a file: a pipe would stay open as long as what it starts.
  static func run(_ program: String, _ arguments: [String], in folder: String) async throws -> Outcome {
    let path = "\(folder)/output-\(UInt32.random(in: .min ... .max))"
    guard FileManager.default.createFile(atPath: path, contents: nil),
      let file = FileHandle(forWritingAtPath: path)
    else { throw Failed(description: "\(path) cannot be written") }
    defer { try? FileManager.default.removeItem(atPath: path) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.environment = environment
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = file
    process.standardError = file
    let status: Int32 = try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do { try process.run() } catch { continuation.resume(throwing: error) }
    }
    try file.close()
    return Outcome(status: status, output: (try? String(contentsOfFile: path, encoding: .utf8)) ?? "")
  }

  /// Ours, without what is meant for nodes: they take their settings from the harness alone.
  static var environment: [String: String] {
    var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("SLUICE_") }
    environment["PATH", default: "/usr/bin:/bin"] += ":/usr/sbin:/sbin"
    return environment
  }
}
