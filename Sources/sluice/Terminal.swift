import Foundation
import LoadTesting

/// Where a command's output goes.
enum Terminal {
  static let isOutput = isatty(STDOUT_FILENO) == 1

  /// Whether it can do no more than print.
  static let isDumb = ProcessInfo.processInfo.environment["TERM"].map { $0.isEmpty || $0 == "dumb" } ?? true

  /// See <https://no-color.org>.
  static let isWithoutColor = ProcessInfo.processInfo.environment["NO_COLOR"].map { !$0.isEmpty } ?? false

  static let outputStyle: TextStyle = isOutput && !isDumb && !isWithoutColor ? .colored : .plain

  /// Begins an empty screen.
  static let clear = "\u{1b}[H\u{1b}[2J"
}

/// Words for a person that are no result.
enum StandardError {
  static func print(_ text: String) {
    FileHandle.standardError.write(Data("\(text)\n".utf8))
  }
}
