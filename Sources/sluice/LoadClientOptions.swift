import ArgumentParser
import Foundation
import LoadTesting
import NIOCore
import NIOHTTP1

/// Who connects, from where, and how fast.
struct LoadClientOptions: ParsableArguments {
  @Option(help: "Clients.") var connections: Int?
  @Option(
    help: ArgumentHelp(
      """
      How they connect: websocket, sse, event-source (as a browser's), long-poll, short-poll, with shares: \
      websocket=60,sse=30,long-poll=10.
      """,
      valueName: "shares"
    )
  )
  var transports: String?
  @Option(
    help: ArgumentHelp(
      """
      Local addresses to connect from: 127.0.0.2-127.0.0.20, a list, or auto. Default: auto, which takes one \
      of 127.0.0.0/8 for each 500 connections to a target on loopback.
      """,
      valueName: "addresses"
    )
  )
  var sources: String?
  @Option(help: ArgumentHelp("Connections to open a second.", valueName: "rate")) var connectRate: Double?
  @Option(help: ArgumentHelp("Or: the time in which to open them all.", valueName: "duration")) var ramp:
    String?
  @Option(help: ArgumentHelp("Channels in all.", valueName: "count")) var channels: Int?
  @Option(
    help: ArgumentHelp(
      "Of each channel: even, a number, or zipf:1.1, where the channel of rank r has a share of 1/r^1.1.",
      valueName: "spread"
    )
  )
  var subscribers: String?
  @Option(help: ArgumentHelp("Share of clients that reconnect each second: 1%.", valueName: "share"))
  var churn: String?
  @Option(help: ArgumentHelp("Share that reads slowly, and how slowly: 10%@2KB/s.", valueName: "share@rate"))
  var slow: String?
  @Option(help: "Sent by every client as Authorization: Bearer. Also SLUICE_TOKEN.") var token: String?
  @Flag(name: .customLong("i-own-this-target"), help: "Allow a target that is not this machine.")
  var ownsTarget = false

  func apply(to plan: inout LoadPlan) throws {
    if let connections { plan.connections = connections }
    if let transports {
      plan.transports = try LoadArguments.parsed(
        transports,
        "--transports",
        "websocket, sse, event-source, long-poll or short-poll with shares, such as websocket=60,sse=40",
        TransportShares.init
      )
    }
    if let sources, sources != "auto" {
      plan.sources = try LoadArguments.parsed(
        sources,
        "--sources",
        "IPv4 addresses, such as 127.0.0.2-127.0.0.20,127.0.1.1",
        SourceAddresses.init
      )
    }
    guard connectRate == nil || ramp == nil else {
      throw ValidationError("--connect-rate and --ramp say the same: give one of them")
    }
    if let connectRate { plan.connectRate = connectRate }
    if let ramp {
      let seconds = Double(try LoadArguments.time(ramp, "--ramp").nanoseconds) / 1_000_000_000
      plan.connectRate = seconds > 0 ? Double(plan.connections) / seconds : 1_000_000
    }
    // A recipe's channels are meant for its clients; fewer clients get fewer.
    plan.channels = channels ?? min(plan.channels, max(plan.connections, 1))
    if let subscribers {
      plan.subscribers = try LoadArguments.parsed(
        subscribers,
        "--subscribers",
        "even, a number of subscribers for each channel, or zipf:EXPONENT",
        SubscriberSpread.init
      )
    }
    if let churn {
      plan.churn = try LoadArguments.parsed(churn, "--churn", "a share, such as 1%") { Share($0)?.value }
    }
    if let slow {
      plan.slow = try LoadArguments.parsed(slow, "--slow", "SHARE@RATE, such as 10%@2KB/s", SlowShare.init)
    }
    let named = ProcessInfo.processInfo.environment["SLUICE_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
    if let token = token ?? named {
      plan.headers.replaceOrAdd(name: "Authorization", value: "Bearer \(token)")
    }
    plan.ownsTarget = ownsTarget
  }
}
