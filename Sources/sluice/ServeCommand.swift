import ArgumentParser
import Foundation
import GatewayNode

#if canImport(Glibc)
  import Glibc
#endif

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
    if ProcessInfo.processInfo.environment["SWIFT_BACKTRACE"] == nil { ServeCommand.endAtOnceAfterCrash() }
    let checked = try settings.load().checked()
    LogSetup.bootstrap(checked.logFormat, level: checked.logLevel)
    let code = try await Node.serve(checked)
    throw ExitCode(code)
  }

  /// A process that has crashed holds its connections, and its port, for as long as it describes itself, which takes the
  /// runtime up to half a minute: clients are to find another node instead. Set `SWIFT_BACKTRACE` to have it describe itself.
  private static func endAtOnceAfterCrash() {
    for fault in [SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP] { signal(fault, SIG_DFL) }
  }
}
