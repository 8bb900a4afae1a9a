import Foundation

/// What the program does for `Tests/fuzz` beside fuzzing.
enum Chore {
  /// Every target: its name and the length of its longest input.
  case list
  /// A target's words, as libFuzzer takes a dictionary.
  case words(String)
  /// A corpus's inputs, each into a file of a folder.
  case unpack(corpus: String, folder: String)
  /// The files of a folder into a corpus.
  case pack(folder: String, corpus: String)

  /// Nil where the arguments are libFuzzer's.
  init?(_ words: [String]) {
    switch (words.first, words.count) {
    case ("list", 1): self = .list
    case ("words", 2): self = .words(words[1])
    case ("unpack", 3): self = .unpack(corpus: words[1], folder: words[2])
    case ("pack", 3): self = .pack(folder: words[1], corpus: words[2])
    default: return nil
    }
  }

  func perform() throws {
    switch self {
    case .list:
      for target in FuzzTarget.all { print(target.name, target.longest) }
    case .words(let name):
      for word in FuzzTarget.named(name)?.words ?? [] {
        let bytes = word.utf8.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        print("\"\(bytes.joined())\"")
      }
    case .unpack(let path, let folder):
      let corpus = try Corpus(String(contentsOfFile: path, encoding: .utf8))
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for (index, input) in corpus.inputs.enumerated() {
        try Data(input).write(to: URL(fileURLWithPath: "\(folder)/\(index)"))
      }
    case .pack(let folder, let path):
      let inputs = try FileManager.default.contentsOfDirectory(atPath: folder).map { name in
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
      }
      try Corpus(inputs: inputs).text.write(toFile: path, atomically: true, encoding: .utf8)
    }
  }
}
