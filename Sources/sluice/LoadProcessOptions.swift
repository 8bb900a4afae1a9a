import ArgumentParser
import LoadTesting

/// How many processes play a run.
struct LoadProcessOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Start so many processes, each with its part of the clients and publishes, and make one result of all: for more \
      connections than one process may have open, or more than one core can drive.
      """,
      valueName: "processes"
    )
  )
  var join = 1
  /// Of a process that another one has started.
  @Option(help: .hidden) var worker: String?

  func validate() throws {
    if !(1...64).contains(join) { throw ValidationError("--join is \(join): expected 1 to 64") }
  }

  /// This process, when it is one of several.
  var part: LoadWorker? {
    get throws {
      guard let worker else { return nil }
      guard let part = LoadWorker(worker) else { throw ValidationError("--worker is not for people") }
      return part
    }
  }

  /// Before any process is started.
  func check(_ plan: LoadPlan) throws {
    if let limit = plan.limitMistake(LoadStripe(index: 0, count: join)) { throw ValidationError(limit) }
    guard join > 1 else { return }
    if plan.scenario == .presence || plan.scenario == .rolling {
      throw ValidationError(
        "\(plan.scenario.rawValue) is played by one process, which has to see everything: leave --join out"
      )
    }
    if plan.connections < join {
      throw ValidationError("--join is \(join), for \(plan.connections) connections")
    }
  }
}
