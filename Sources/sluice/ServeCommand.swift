import ArgumentParser
import GatewayNode

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Run a node.",
    discussion: """
      Without --redis it runs alone and keeps everything in memory. Each setting is read from its flag, else from \
      its SLUICE_ variable, else from the file. SIGTERM and SIGINT drain the node, after which it exits with 0; \
      another one ends it at once.
      """
  )

  @OptionGroup var settings: SettingsOptions

  func run() async throws {
    let checked = try settings.load().checked()
    LogSetup.bootstrap(checked.logFormat, level: checked.logLevel)
    let code = try await Node.serve(checked)
    throw ExitCode(code)
  }
}
