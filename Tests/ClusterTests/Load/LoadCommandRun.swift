import Foundation
import LoadTesting
import SluiceClient
import Testing

/// `sluice load` run by itself.
struct LoadCommandRun {
  let status: Int32
  let result: LoadResult?
  /// Standard output and error.
  let output: String

  /// Runs it to its end.
  init(_ cluster: Cluster, _ arguments: [String]) async throws {
    let run = try Underway(cluster, arguments)
    self = try await run.end()
  }

  private init(status: Int32, output: String) {
    self.status = status
    self.output = output
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let line = output.split(separator: "\n").last { $0.hasPrefix("{") }
    result = line.flatMap { try? decoder.decode(LoadResult.self, from: Data($0.utf8)) }
  }

  /// One that was started.
  struct Underway {
    let process: ChildProcess
    private let path: String

    init(_ cluster: Cluster, _ arguments: [String]) throws {
      path = "\(cluster.directory)/load-\(UInt32.random(in: .min ... .max))"
      process = try ChildProcess([cluster.binary, "load"] + arguments + ["--json"], output: path)
    }

    var output: String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

    func end(within limit: Duration = .seconds(150)) async throws -> LoadCommandRun {
      let status = try await process.exit(within: limit)
      return LoadCommandRun(status: status, output: output)
    }
  }

  /// The result of a run in which everything held.
  func good(sourceLocation: SourceLocation = #_sourceLocation) throws -> LoadResult {
    #expect(status == 0, "\(output.suffix(3_000))", sourceLocation: sourceLocation)
    let result = try #require(result, "\(output.suffix(3_000))", sourceLocation: sourceLocation)
    #expect(result.isGood, "\(result.failures)", sourceLocation: sourceLocation)
    return result
  }
}

extension Endpoint {
  var url: String { "http://\(host):\(port)" }
}
