import ArgumentParser
import Foundation
import LoadTesting
import NIOCore

/// The nodes, and what single scenarios do.
struct LoadSceneOptions: ParsableArguments {
  @Option(
    name: .customLong("operator"),
    help: ArgumentHelp(
      """
      An operator listener; once for each node shows the CPU of each. The result then has the nodes over time. The \
      key is read from SLUICE_OPERATOR_KEY.
      """,
      valueName: "url"
    )
  )
  var operators: [String] = []
  @Option(help: ArgumentHelp("resume: how long everyone stays away.", valueName: "duration")) var away:
    String?
  @Option(help: ArgumentHelp("rolling: members who must not be heard to leave.", valueName: "count"))
  var members: Int?
  @Option(help: ArgumentHelp("presence, rolling: clients that hear who comes and goes.", valueName: "count"))
  var watchers: Int?
  @Option(
    help: ArgumentHelp(
      """
      rolling: what replaces the nodes, run by /bin/sh, such as 'deploy/rolling-restart'. Without it, each node is \
      drained and taken back through --operator.
      """,
      valueName: "command"
    )
  )
  var command: String?
  @Option(help: ArgumentHelp("rolling: how often.", valueName: "count")) var rounds: Int?
  @Option(
    help: ArgumentHelp(
      "rolling: over which a node sends its clients away. Default: as the node is set.",
      valueName: "duration"
    )
  )
  var drainWindow: String?
  @Flag(help: "rolling: the command kills; only what is delivered counts, not who was away for how long.")
  var unplanned = false

  func apply(to plan: inout LoadPlan) throws {
    let key = ProcessInfo.processInfo.environment["SLUICE_OPERATOR_KEY"].flatMap { $0.isEmpty ? nil : $0 }
    plan.operators = try operators.map {
      OperatorPlace(try LoadArguments.endpoint($0, "--operator"), key: key)
    }
    if let away { plan.away = try LoadArguments.time(away, "--away") }
    if let members { plan.members = members }
    if let watchers { plan.watchers = watchers }
    if let command { plan.command = command }
    if let rounds { plan.rounds = rounds }
    if let drainWindow { plan.drainWindow = try LoadArguments.time(drainWindow, "--drain-window") }
    plan.isUnplanned = unplanned
  }
}
