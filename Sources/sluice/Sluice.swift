import ArgumentParser
import GatewayNode

@main struct Sluice: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sluice",
    abstract: "A real-time gateway: WebSocket, server-sent events and polls, on any number of nodes.",
    version: Version.text,
    subcommands: [
      ServeCommand.self, NodesCommand.self, TopCommand.self, DrainCommand.self, UndrainCommand.self,
      PublishCommand.self, SubscribeCommand.self, TokenCommand.self, HealthCommand.self,
      CheckConfigCommand.self, LoadCommand.self, EchoCommand.self,
    ]
  )
}
