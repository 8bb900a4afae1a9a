import Foundation

/// Where a command's output goes.
enum Terminal {
  static let isOutput = isatty(STDOUT_FILENO) == 1

  /// Begins an empty screen.
  static let clear = "\u{1b}[H\u{1b}[2J"
}

/// Words for a person that are no result.
enum StandardError {
  static func print(_ text: String) {
    FileHandle.standardError.write(Data("\(text)\n".utf8))
  }
}
