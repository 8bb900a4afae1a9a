import ArgumentParser
import Foundation
import GatewayNode
import NIOCore
import NIOHTTP1

struct DrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drain",
    abstract: "Send a node's sessions to the others; exit 0 only when it is drained.",
    discussion: """
      Any node can be asked for any other. The drained node goes on running without sessions until it is stopped or \
      undrained. Ctrl-C ends the waiting, not the drain. While Redis is down, only a node itself can be asked.
      """
  )

  @Argument(help: "The node's name, as `sluice nodes` shows it.") var node: String
  @Option(
    help: ArgumentHelp(
      "The time over which its sessions are sent away. Default: its drain-window.",
      valueName: "duration"
    )
  )
  var over: String?
  @Flag(inversion: .prefixedNo, help: "Wait until the node is drained, and show how it goes.") var wait = true
  @Flag(help: "Print the node's object, for programs.") var json = false
  @OptionGroup var cluster: OperatorOptions

  func run() async throws {
    let request = try DrainRequest(node: node, over: over)
    let client = try cluster.client()
    let answer = try await client.body(of: .POST, request.path, request.body)
    guard let follower = DrainFollower(answer, to: .drained, now: .now()) else {
      throw CommandFailure("the answer is no node")
    }
    guard wait else { return print(json ? String(buffer: answer) : follower.line) }
    let watch = DrainWatch(client: client, isQuiet: json)
    let end = try await Interruption.race { try await watch.follow(follower, from: answer) }
    switch end {
    case .done(let sentence, let object): print(json ? String(buffer: object) : sentence)
    case .interrupted:
      StandardError.print("the drain of \(node) goes on; `sluice undrain \(node)` calls it off")
      throw ExitCode(130)
    }
  }
}

struct UndrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "undrain",
    abstract: "Call a drain off, at any point; exit 0 only when the node is ready again.",
    discussion: "Sessions that are still there stay; those that were told to go come back as they like."
  )

  @Argument(help: "The node's name, as `sluice nodes` shows it.") var node: String
  @Flag(help: "Print the node's object, for programs.") var json = false
  @OptionGroup var cluster: OperatorOptions

  func run() async throws {
    let request = try DrainRequest(node: node)
    let client = try cluster.client()
    let answer = try await client.body(of: .DELETE, request.path)
    guard let follower = DrainFollower(answer, to: .ready, now: .now()) else {
      throw CommandFailure("the answer is no node")
    }
    let watch = DrainWatch(client: client, isQuiet: json)
    let end = try await Interruption.race { try await watch.follow(follower, from: answer) }
    switch end {
    case .done(let sentence, let object): print(json ? String(buffer: object) : sentence)
    case .interrupted: throw ExitCode(130)
    }
  }
}
