import ArgumentParser
import GatewayNode
import NIOCore
import NIOHTTP1

struct NodesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nodes",
    abstract: "Show the nodes of the cluster: their state and their connections.",
    discussion: "While Redis is down it shows the node that is asked alone, says so, and exits 1."
  )

  @OptionGroup var cluster: OperatorOptions
  @Flag(help: "Print what the node answers, for programs.") var json = false

  func run() async throws {
    let body = try await cluster.client().body(of: .GET, "/v1/nodes")
    guard let table = NodeTable(body) else { throw CommandFailure("the answer is no list of nodes") }
    print(json ? String(buffer: body) : table.rows)
    if let problem = table.problem { throw CommandFailure(problem) }
  }
}
