import Foundation
import Testing

/// Every target with the inputs that are known, and with what chance makes of them. `Tests/fuzz` looks longer, and at
/// the code that an input reaches.
struct FuzzingTests {
  /// The package's folder.
  private static let root: String = {
    var folder = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { folder.deleteLastPathComponent() }
    return folder.path
  }()

  private static let environment = ProcessInfo.processInfo.environment

  private func corpus(of target: FuzzTarget) throws -> Corpus {
    let path = "\(Self.root)/Tests/Fuzzing/Corpora/\(target.name).txt"
    return try Corpus(String(contentsOfFile: path, encoding: .utf8))
  }

  @Test(arguments: FuzzTarget.all)
  func holdsForTheCorpus(_ target: FuzzTarget) throws {
    let corpus = try corpus(of: target)
    #expect(!corpus.inputs.isEmpty)
    #expect(try Corpus(corpus.text).text == corpus.text)
    for input in corpus.inputs + [[]] {
      #expect(input.count <= target.longest)
      #expect(throws: Never.self, "\(Corpus.line(input))") { try target.check(input) }
    }
  }

  @Test(arguments: FuzzTarget.all)
  func holdsForWhatChanceMakesOfIt(_ target: FuzzTarget) throws {
    let seed = Self.environment["SLUICE_FUZZ_SEED"].flatMap(UInt64.init) ?? .random(in: .min ... .max)
    var mutator = Mutator(target, try corpus(of: target), seed: seed)
    let folder = "\(Self.root)/.build/fuzzing"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    var atHand = try InputAtHand(path: "\(folder)/\(target.name).txt", longest: target.longest)
    for _ in 0..<300 {
      let input = mutator.next()
      atHand.note(input)
      do {
        try target.check(input)
      } catch {
        Issue.record("\(error)\nthe input: \(Corpus.line(input))\nSLUICE_FUZZ_SEED=\(seed)")
        return
      }
    }
  }

  @Test func eachTargetHasItsOwnName() {
    #expect(Set(FuzzTarget.all.map(\.name)).count == FuzzTarget.all.count)
  }

  @Test func aCorpusIsReadAsItWasWritten() throws {
    let corpus = Corpus(inputs: [Array(0...255), [0x5c, 0x6e], [0x0a], Array("\\x41 plain".utf8)])
    #expect(Set(try Corpus(corpus.text).inputs) == Set(corpus.inputs))
    for text in ["\\", "\\y", "\\x4", "\\xgg", "\u{e9}", "a\tb"] {
      #expect(throws: Corpus.Malformed.self) { try Corpus(text) }
    }
  }
}

extension FuzzTarget: CustomTestStringConvertible {
  var testDescription: String { name }
}
