import ArgumentParser
import Foundation
import LoadTesting

/// How a load test is shown.
struct LoadOutputOptions: ParsableArguments {
  @Flag(help: "Print the result as a JSON object, for programs; how it goes is said on standard error.")
  var json = false
  @Option(
    help: ArgumentHelp(
      "Write the result as JSON to a file too, for `sluice load compare`.",
      valueName: "file"
    ),
    completion: .file(extensions: ["json"])
  )
  var save: String?
  @Option(
    help: ArgumentHelp("Write a page of plots and tables, in one file.", valueName: "file"),
    completion: .file(extensions: ["html"])
  )
  var report: String?
  @Flag(help: "Do not say how it goes.") var quiet = false

  /// Before anything is done for an hour that cannot be written afterwards.
  func validate() throws {
    try OutputFile.check(save, "--save")
    try OutputFile.check(report, "--report")
  }

  /// - Parameters:
  ///   - title: what is running.
  ///   - wanted: clients that are to be connected.
  func observer(title: String = "sluice load", wanted: Int? = nil) -> any LoadObserver {
    if quiet { return LoadSilence() }
    return ErrorOutput.isTerminal
      ? LoadTerminal(title: title, wanted: wanted) : LoadLog(title: title, wanted: wanted)
  }

  /// Shows what came of it.
  func finish(_ result: LoadResult, after observer: (any LoadObserver)? = nil) throws {
    (observer as? LoadTerminal)?.end()
    if let save { try OutputFile.write(try result.json(isPretty: true) + Data("\n".utf8), to: save) }
    if let report { try OutputFile.write(Data(try ReportPage(result).html().utf8), to: report) }
    if json {
      FileHandle.standardOutput.write(try result.json() + Data("\n".utf8))
    } else {
      print(LoadSummary(result, style: Terminal.outputStyle))
      if let report { print("report: \(report)") }
    }
  }
}

/// Files that a command writes.
enum OutputFile {
  /// Throws when nothing could be written there.
  static func check(_ path: String?, _ option: String) throws {
    guard let path else { return }
    var isFolder: ObjCBool = false
    let files = FileManager.default
    if files.fileExists(atPath: path, isDirectory: &isFolder) {
      if isFolder.boolValue { throw ValidationError("\(option) is \"\(path)\", which is a folder") }
      if !files.isWritableFile(atPath: path) {
        throw ValidationError("\(option) is \"\(path)\", which may not be written")
      }
      return
    }
    let parent = URL(filePath: path).deletingLastPathComponent().path
    let folder = parent.isEmpty ? "." : parent
    guard files.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
      throw ValidationError("\(option) is \"\(path)\", and there is no folder \(folder)")
    }
    guard files.isWritableFile(atPath: folder) else {
      throw ValidationError("\(option) is \"\(path)\", and nothing may be written to \(folder)")
    }
  }

  static func write(_ data: Data, to path: String) throws {
    do {
      try data.write(to: URL(filePath: path), options: .atomic)
    } catch {
      throw CommandFailure("\(path) cannot be written: \(error.localizedDescription)")
    }
  }
}
