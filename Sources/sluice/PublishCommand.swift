import ArgumentParser
import GatewayNode
import NIOCore
import NIOHTTP1

struct PublishCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "publish",
    abstract: "Publish one message and print its cursor."
  )

  @Argument(help: "The channel.") var channel: String
  @Argument(
    help: ArgumentHelp("The data, any JSON value: a text stands in double quotes.", valueName: "json")
  )
  var data: String
  @Option(help: "An idempotency key: published again with it, the message is stored once.") var key: String?
  @Flag(help: "Print what the node answers, for programs.") var json = false
  @OptionGroup var cluster: OperatorOptions

  func run() async throws {
    let request = try PublishRequest(channel: channel, data: data, key: key)
    let body = try await cluster.client().body(of: .POST, "/v1/publish", request.body)
    let result = try request.result(of: body)
    print(json ? String(buffer: body) : result)
  }
}
