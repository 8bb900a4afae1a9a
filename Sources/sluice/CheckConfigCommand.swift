import ArgumentParser
import GatewayNode

struct CheckConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-config",
    abstract: "Show the settings in force and where each comes from, and every mistake in them."
  )

  @OptionGroup var settings: SettingsOptions

  func run() async throws {
    let loaded = settings.load()
    print(SettingsReport(loaded))
    _ = try loaded.checked()
  }
}
