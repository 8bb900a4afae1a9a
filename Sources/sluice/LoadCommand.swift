import ArgumentParser
import Foundation
import LoadTesting
import NIOCore
import UnixSignals

struct LoadCommand: AsyncParsableCommand {
  private static let scenarios = LoadScenario.allCases
    .map { "  \($0.rawValue.padding(toLength: 14, withPad: " ", startingAt: 0))\($0.summary)" }
    .joined(separator: "\n")

  static let configuration = CommandConfiguration(
    commandName: "load",
    abstract: "Load a cluster, and judge what it delivers; exit 0 only when nothing was lost.",
    discussion: """
      Scenarios, each with its defaults, which every flag overrides:

      \(scenarios)

      `sluice load list` shows the defaults and what counts as failed, `sluice load run --help` every flag; the word run may \
      be left out. Without a scenario it is fanout, without a URL \
      http://127.0.0.1:8080. Ctrl-C ends a run early, and what came until then is judged; a second one ends it at once.

      Exit status: 0 when everything held, 1 when something was lost, repeated, out of order or missed without a word, \
      or a promise of the scenario was broken, 64 for a plan with mistakes.
      """,
    subcommands: [LoadRunCommand.self, LoadListCommand.self, LoadCompareCommand.self, LoadJoinCommand.self],
    defaultSubcommand: LoadRunCommand.self
  )
}

/// `sluice load [SCENARIO] URL…`
struct LoadRunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Play a scenario."
  )

  @Argument(
    help: ArgumentHelp(
      "A scenario, then public URLs: of nodes, or of what stands before them. Clients are dealt to them in turn.",
      valueName: "scenario-or-url"
    )
  )
  var words: [String] = []
  @OptionGroup(title: "Clients") var clients: LoadClientOptions
  @OptionGroup(title: "Messages") var messages: LoadMessageOptions
  @OptionGroup(title: "Scenarios") var scenes: LoadSceneOptions
  @OptionGroup(title: "Output") var output: LoadOutputOptions
  @OptionGroup(title: "Processes") var processes: LoadProcessOptions

  func run() async throws {
    let plan = try plan()
    if let worker = try processes.part { return await worker.play(plan) }
    try processes.check(plan)
    let control = LoadControl()
    let observer = output.observer(title: "sluice load \(plan.scenario.rawValue)", wanted: plan.connections)
    defer { (observer as? LoadTerminal)?.end() }
    let crew = processes.join > 1 ? try LoadCrew(processes.join) : nil
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    let interruption = Task {
      for await _ in signals {
        if control.isEnding {
          HiddenCursor.show()
          _exit(130)
        }
        observer.phase("ending early; once more ends it at once")
        control.end()
        crew?.endEarly()
      }
    }
    defer { interruption.cancel() }
    let result =
      if let crew {
        try await crew.play(observer)
      } else {
        try await LoadRun.run(plan, observer: observer, control: control)
      }
    try output.finish(result, after: observer)
    if !result.isGood { throw ExitCode(1) }
  }

  /// The scenario's defaults with everything that the flags say; a mistake in it is an error.
  func plan() throws -> LoadPlan {
    var words = words[...]
    var scenario = LoadScenario.fanout
    if let first = words.first, !first.contains(":"), !first.contains("/") {
      guard let named = LoadScenario(rawValue: first) else {
        let names = LoadScenario.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("there is no scenario \"\(first)\": expected \(names), or a URL")
      }
      scenario = named
      words.removeFirst()
    }
    var plan = scenario.plan
    plan.targets = try (words.isEmpty ? ["http://127.0.0.1:8080"] : Array(words))
      .map { try LoadArguments.endpoint($0, "URL") }
    try clients.apply(to: &plan)
    try messages.apply(to: &plan)
    try scenes.apply(to: &plan)
    let mistakes = plan.mistakes()
    guard mistakes.isEmpty else { throw ValidationError(mistakes.joined(separator: "\n")) }
    return plan
  }
}

struct LoadListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Show the scenarios, their defaults, and what counts as failed."
  )

  func run() {
    for scenario in LoadScenario.allCases {
      let defaults = scenario.plan.settings.filter { $0.name != "target" && $0.name != "seed" }
        .map { "--\($0.name) \($0.value)" }
        .joined(separator: " ")
      print("\(scenario.rawValue): \(scenario.summary)\n  promise: \(scenario.promise)\n  \(defaults)\n")
    }
  }
}
