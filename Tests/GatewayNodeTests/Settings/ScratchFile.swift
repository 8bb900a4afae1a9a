import Foundation

/// A file that goes with its owner.
final class ScratchFile {
  let path: String

  init(_ text: String) throws {
    path = FileManager.default.temporaryDirectory.appending(path: "sluice-\(UUID().uuidString)").path()
    try Data(text.utf8).write(to: URL(filePath: path))
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }
}
