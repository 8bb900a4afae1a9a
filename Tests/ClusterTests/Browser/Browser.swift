import Foundation
import NIOConcurrencyHelpers
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// A real Chromium, spoken to over `bridge.py`.
final class Browser: Sendable {
  struct Failed: Error, CustomStringConvertible {
    let description: String
  }

  /// What the bridge is asked: `do` is one of its methods, the rest that method's arguments.
  struct Request: Encodable {
    var id = 0
    let `do`: String
    let page: String
    var url: String?
    var width: Int?
    var height: Int?
    var scheme: String?
    var withPage: String?
    var script: String?
    var argument: String?
    var selector: String?
    var key: String?
    var text: String?
    var path: String?

    init(_ method: String, _ page: String) {
      self.do = method
      self.page = page
    }
  }

  private struct Answer<Value: Decodable>: Decodable {
    let value: Value?
    let error: String?
  }

  private struct Numbered: Decodable {
    let id: Int
  }

  private struct Answers {
    var lastID = 0
    var read: UInt64 = 0
    var rest = Data()
    var lines: [Int: Data] = [:]
  }

  private let process: ChildProcess
  private let input: Int32
  private let output: String
  private let log: String
  private let answers = NIOLockedValueBox(Answers())

  /// Starts a browser for the time of `body`.
  static func with(_ cluster: Cluster, _ body: (Browser) async throws -> Void) async throws {
    let browser = try Browser(in: cluster.directory)
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await body(browser))
    } catch {
      outcome = .failure(error)
    }
    try await browser.end()
    try outcome.get()
  }

  private init(in directory: String) throws {
    let python = "\(Cluster.root)/.build/python/bin/python"
    guard FileManager.default.isExecutableFile(atPath: python) else {
      throw Failed(description: "there is no \(python): Tests/run installs it")
    }
    let name = "\(directory)/logs/browser-\(UInt32.random(in: .min ... .max))"
    output = "\(name).answers"
    log = "\(name).log"
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw Failed(description: "no pipe") }
    defer { close(ends[0]) }
    input = ends[1]
    let bridge = "\(Cluster.root)/Tests/ClusterTests/Browser/bridge.py"
    process = try ChildProcess([python, "-u", bridge, log], input: ends[0], output: output)
  }

  private func end() async throws {
    close(input)
    let status = try? await process.exit(within: .seconds(15))
    if status == nil { kill(process.pid, SIGKILL) }
  }

  /// Asks the bridge and waits for its answer.
  @discardableResult
  func ask<Value: Decodable>(_ request: Request, as type: Value.Type = Value.self) async throws -> Value? {
    var request = request
    request.id = answers.withLockedValue {
      $0.lastID += 1
      return $0.lastID
    }
    let id = request.id
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let line = try encoder.encode(request) + Data("\n".utf8)
    guard line.withUnsafeBytes({ write(input, $0.baseAddress, $0.count) }) == line.count else {
      throw Failed(description: "the browser takes no requests\n\(chatter)")
    }
    let answer = try await eventually("the browser's answer to \(request.do)", within: .seconds(40)) {
      let status = process.exitStatus
      try readAnswers()
      let answer = answers.withLockedValue { $0.lines.removeValue(forKey: id) }
      if answer == nil, let status {
        throw Failed(description: "the browser has ended with \(status)\n\(chatter)")
      }
      return answer
    }
    let content = try JSONDecoder().decode(Answer<Value>.self, from: answer)
    if let error = content.error { throw Failed(description: "\(request.do): \(error)") }
    return content.value
  }

  private func readAnswers() throws {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: output))
    defer { try? file.close() }
    try answers.withLockedValue { answers in
      try file.seek(toOffset: answers.read)
      let news = try file.readToEnd() ?? Data()
      answers.read += UInt64(news.count)
      answers.rest += news
      while let newline = answers.rest.firstIndex(of: UInt8(ascii: "\n")) {
        let line = answers.rest[..<newline]
        answers.rest = Data(answers.rest[(newline + 1)...])
        answers.lines[try JSONDecoder().decode(Numbered.self, from: line).id] = Data(line)
      }
    }
  }

  /// What the browser and its bridge complained of.
  private var chatter: String {
    ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "")
      + ((try? String(contentsOfFile: output, encoding: .utf8)) ?? "")
  }
}
