import ArgumentParser
import Foundation
import SluiceClient
import UnixSignals
import Wire

struct SubscribeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "subscribe",
    abstract: "Print the messages of channels as they come, until Ctrl-C.",
    discussion: """
      It stays subscribed over restarts of nodes and goes on where it was; what it missed is told as a gap. How it is \
      connected is said on standard error.
      """
  )

  @Argument(help: "The channels.") var channels: [String]
  @Option(
    help: ArgumentHelp(
      "Where to begin: start, a cursor, or CHANNEL@CURSOR,… for several channels. Default: from now.",
      valueName: "cursor"
    )
  )
  var since: String?
  @Option(help: "Hear joins and leaves too: join, as a member, or watch.") var presence: String?
  @Option(
    help: ArgumentHelp(
      "Connect by websocket, sse, long-poll or short-poll only; given again, as the next one to try. Default: all.",
      valueName: "name"
    )
  )
  var transport: [String] = []
  @Option(
    help: ArgumentHelp(
      "The public side of the cluster. Default: http://127.0.0.1:8080. Also SLUICE_URL.",
      valueName: "url"
    )
  )
  var url: String?
  @Option(help: "The token to present. Also SLUICE_TOKEN, which other users of this machine cannot see.")
  var token: String?
  @Flag(help: "Print each event as a JSON object in a line, for programs.") var json = false

  func run() async throws {
    let (refused, refuse) = AsyncStream.makeStream(of: Void.self)
    let client = try client(whenRefused: { refuse.yield() })
    let subscription = client.subscribe(channels, since: try sinceSet(), presence: try presenceWish())
    let printer = EventPrinter(isJSON: json, isTerminal: isatty(STDOUT_FILENO) == 1)
    let states = client.connections
    // From here on a signal only ends the loop.
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for try await event in subscription { try printer.print(event) }
      }
      group.addTask { for await _ in signals { return } }
      group.addTask {
        // Only ever ends by that, or with the others.
        for await _ in refused { throw CommandFailure("the token was refused: is it good, and still?") }
      }
      let reporter = Task { for await state in states { printer.report(state) } }
      defer {
        reporter.cancel()
        group.cancelAll()
        client.close()
      }
      do {
        try await group.next()
      } catch let error as SluiceError {
        throw CommandFailure(error.description)
      } catch is EventPrinter.NobodyReads {
        return
      }
    }
  }

  private func environment(_ name: String) -> String? {
    ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  private func client(whenRefused refuse: @escaping @Sendable () -> Void) throws -> SluiceClient.Sluice {
    let named = environment("SLUICE_URL")
    var options = SluiceClient.Sluice.Options()
    if let token = token ?? environment("SLUICE_TOKEN") {
      let once = OneToken(token, refuse)
      options.token = { try once.give() }
    }
    if !transport.isEmpty {
      options.transports = try transport.map { name in
        guard let transport = EventPrinter.transports.first(where: { $0.value.rawValue == name })?.key else {
          throw ValidationError(
            "--transport is \"\(name)\": expected websocket, sse, long-poll or short-poll"
          )
        }
        return transport
      }
    }
    do throws(SluiceError) {
      return try SluiceClient.Sluice(url ?? named ?? "http://127.0.0.1:8080", options: options)
    } catch {
      throw ValidationError("\(url == nil ? "SLUICE_URL" : "--url"): \(error)")
    }
  }

  private func sinceSet() throws -> SinceSet? {
    guard let since else { return nil }
    if let set = SinceSet(since) { return set }
    if let cursor = Cursor(since), channels.count == 1, let channel = ChannelName(channels[0]) {
      var set = CursorSet()
      set[channel] = cursor
      return .positions(set)
    }
    throw ValidationError(
      "--since is \"\(since)\": expected start, a cursor of the one channel, or CHANNEL@CURSOR,…"
    )
  }

  private func presenceWish() throws -> PresenceWish? {
    guard let presence else { return nil }
    guard let wish = PresenceWish(rawValue: presence) else {
      throw ValidationError("--presence is \"\(presence)\": expected join or watch")
    }
    return wish
  }
}
