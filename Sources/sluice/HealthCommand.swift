import ArgumentParser
import GatewayNode
import NIOCore
import NIOHTTP1

struct HealthCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "health",
    abstract: "Say whether a node is ready; exit 0 only if it is.",
    discussion: "Without --operator it asks the node on this machine, as a container's health check does."
  )

  @OptionGroup var node: OperatorOptions

  func run() async throws {
    let answer = try await node.client().send(.GET, "/readyz")
    guard answer.status == .ok else { throw CommandFailure("not ready: \(answer.problem)") }
    print("ready")
  }
}
