import ArgumentParser
import Foundation
import GatewayNode
import NIOCore

struct TopCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "top",
    abstract: "Watch the nodes of the cluster, anew each second, until Ctrl-C."
  )

  @Option(name: [.customShort("n"), .long], help: "End after so many views.") var count: Int?
  @Flag(help: "Print each view as a line of JSON, for programs.") var json = false
  @OptionGroup var cluster: OperatorOptions

  func validate() throws {
    if let count, count < 1 { throw ValidationError("--count is \(count): expected 1 or more") }
  }

  func run() async throws {
    let client = try cluster.client()
    var seen = 0
    while true {
      do {
        for try await view in client.watch() {
          seen += 1
          try show(view)
          if seen == count { return }
        }
      } catch let failure as OperatorClient.Failure {
        // A node that is not there at all is a mistake of who asks; one that goes away comes back.
        guard seen > 0 else { throw failure }
        StandardError.print("\(failure)")
      }
      try await Task.sleep(for: .seconds(1))
    }
  }

  private func show(_ view: ByteBuffer) throws {
    if json {
      print(String(buffer: view))
    } else {
      guard let table = NodeTable(view), let summary = ClusterSummary(view) else {
        throw CommandFailure("the answer is no list of nodes")
      }
      if Terminal.isOutput { print(Terminal.clear, terminator: "") }
      print("\(summary)\n\n\(table)\n")
    }
    fflush(nil)
  }
}
