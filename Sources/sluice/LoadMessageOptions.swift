import ArgumentParser
import LoadTesting
import NIOCore

/// What is published, how often, and for how long.
struct LoadMessageOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Publishes a second, over all channels in turn; 0 for none.", valueName: "count")
  )
  var rate: Double?
  @Option(
    help: ArgumentHelp(
      "Instead of a rate: so many publishes under way at any time, each followed by the next.",
      valueName: "count"
    )
  )
  var inFlight: Int?
  @Option(help: ArgumentHelp("Of a message's data, from 64.", valueName: "bytes")) var size: Int?
  @Option(help: ArgumentHelp("http, websocket, or operator.", valueName: "way")) var publishOver: String?
  @Option(help: ArgumentHelp("Connections to publish over.", valueName: "count")) var publishers: Int?
  @Option(
    help: ArgumentHelp(
      "How long to measure; of rolling, the longest that it may take.",
      valueName: "duration"
    )
  )
  var duration: String?
  @Option(help: ArgumentHelp("Load before measuring begins.", valueName: "duration")) var warmUp: String?
  @Option(help: "Chance comes out the same again with the same seed.") var seed: UInt64?

  func apply(to plan: inout LoadPlan) throws {
    guard rate == nil || inFlight == nil else {
      throw ValidationError("--rate and --in-flight exclude each other: give one of them")
    }
    if let rate { plan.rate = rate }
    if let inFlight {
      plan.inFlight = inFlight
      plan.rate = 0
    }
    if let size { plan.size = size }
    if let publishOver {
      plan.publishOver = try LoadArguments.parsed(
        publishOver,
        "--publish-over",
        "http, websocket or operator",
        LoadPlan.PublishWay.init(rawValue:)
      )
    }
    if let publishers { plan.publishers = publishers }
    if let duration { plan.duration = try LoadArguments.time(duration, "--duration") }
    if let warmUp { plan.warmUp = try LoadArguments.time(warmUp, "--warm-up") }
    if let seed { plan.seed = seed }
  }
}
