import Foundation
import GatewayNode
import NIOCore
import NIOHTTP1

/// Asks how a drain goes until it is over, and shows it: a bar on a terminal, else a line now and then.
struct DrainWatch: Sendable {
  let client: OperatorClient
  let isQuiet: Bool

  /// Returns when it is as was asked, and throws when it will not be.
  func follow(_ follower: DrainFollower, from answer: ByteBuffer) async throws -> Interruption.End {
    var follower = follower
    var object = answer
    var step = follower.step
    var shown = ""
    while true {
      switch step {
      case .done(let sentence):
        clear()
        return .done(sentence, object)
      case .failed(let reason):
        clear()
        throw CommandFailure(reason)
      case .goesOn: show(follower, &shown)
      }
      try await Task.sleep(for: .milliseconds(500))
      do throws(OperatorClient.Failure) {
        object = try await client.body(of: .GET, follower.path)
        step = follower.heard(object, now: .now())
      } catch {
        step = follower.lost("\(error)", now: .now())
      }
    }
  }

  private func show(_ follower: DrainFollower, _ shown: inout String) {
    guard !isQuiet else { return }
    if Terminal.isOutput {
      print("\r\u{1b}[K\(follower.bar)", terminator: "")
      fflush(nil)
    } else if shown != follower.line {
      shown = follower.line
      print(shown)
      fflush(nil)
    }
  }

  private func clear() {
    if !isQuiet, Terminal.isOutput { print("\r\u{1b}[K", terminator: "") }
  }
}
