import ArgumentParser
import Foundation
import LoadTesting

struct LoadCompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Put results of load tests side by side, each beside the first.",
    discussion: """
      What got better or worse is marked where it goes beyond what runs of the same differ by; that is told from the \
      times of each run themselves. With --fail-above it exits with 1 when a time or a cost got worse by more than \
      that, beyond noise, or when a run failed and the first did not.
      """
  )

  @Argument(help: "Results as `sluice load --json` or `--save` wrote them; the first is the base.") var files:
    [String]
  @Flag(help: "Print the comparison as a JSON object, for programs.") var json = false
  @Option(
    help: ArgumentHelp("Fail when something is worse by more: 1.2x, or 20%.", valueName: "ratio")
  )
  var failAbove: String?

  func validate() throws {
    if files.count < 2 { throw ValidationError("give two files or more") }
    _ = try limit()
  }

  func run() throws {
    let names = LoadFiles.shortNames(files)
    let comparison = LoadComparison(zip(names, try files.map(LoadFiles.read)).map { ($0, $1) })
    let limit = try limit()
    if json {
      FileHandle.standardOutput.write(try comparison.json(failAbove: limit) + Data("\n".utf8))
    } else {
      print(comparison.text(style: Terminal.outputStyle))
    }
    guard let limit else { return }
    fflush(nil)
    let excesses = comparison.excesses(over: limit)
    guard !excesses.isEmpty else { return }
    for excess in excesses { StandardError.print("worse: \(excess)") }
    throw ExitCode.failure
  }

  private func limit() throws -> Double? {
    guard let failAbove else { return nil }
    guard let limit = RatioLimit.parse(failAbove) else {
      throw ValidationError(
        "--fail-above is \"\(failAbove)\": expected a ratio of 1 or more, such as 1.2x, or 20%"
      )
    }
    return limit
  }
}

struct LoadJoinCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "join",
    abstract: "Make one result of those of processes that loaded at the same time.",
    discussion: """
      For drivers on several machines. Distributions are joined without loss, and samples are aligned by the clocks. \
      Each process has judged the subscribers of its own by the publishes of its own; on one machine, `sluice load \
      --join N` starts the processes itself, and all publishes are held against all subscribers.
      """
  )

  @Argument(help: "Results as `sluice load --json` or `--save` wrote them.") var files: [String]
  @OptionGroup var output: LoadOutputOptions

  func validate() throws {
    if files.isEmpty { throw ValidationError("give the files to join") }
  }

  func run() throws {
    let result = LoadResult.joined(try files.map(LoadFiles.read))
    try output.finish(result)
    if !result.isGood { throw ExitCode.failure }
  }
}

/// Results in files.
enum LoadFiles {
  static func read(_ path: String) throws -> LoadResult {
    let data: Data
    do {
      data =
        path == "-"
        ? FileHandle.standardInput.readDataToEndOfFile() : try Data(contentsOf: URL(filePath: path))
    } catch {
      throw CommandFailure("\(path) cannot be read: \(error.localizedDescription)")
    }
    do throws(LoadResult.Unreadable) {
      return try LoadResult(json: data)
    } catch {
      throw CommandFailure("\(path) is no result of a load test: \(error)")
    }
  }

  /// Without their folders, where that tells them apart.
  static func shortNames(_ paths: [String]) -> [String] {
    let names = paths.map { $0 == "-" ? $0 : URL(filePath: $0).lastPathComponent }
    return Set(names).count == names.count ? names : paths
  }
}
