import ArgumentParser
import Foundation
import GatewayNode

struct EchoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "echo",
    abstract:
      "Serve the WebSocket codec alone: every message comes back, up to 16 MiB. For conformance suites."
  )

  @Option(help: ArgumentHelp("Where to listen.", valueName: "host:port")) var listen = "127.0.0.1:9001"

  func run() async throws {
    guard let address = ListenAddress(listen) else {
      throw ValidationError("--listen is \"\(listen)\": expected HOST:PORT, such as 127.0.0.1:9001")
    }
    try await EchoService.serve(address) { address in
      print("echoing on \(address)")
      fflush(nil)
    }
  }
}
