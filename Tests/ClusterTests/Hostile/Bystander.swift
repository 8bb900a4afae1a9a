import LoadTesting
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SluiceClient
import Testing
import Wire

#if canImport(Glibc)
  import Glibc
#endif

/// A well-behaved client of a node under attack: it publishes a number every few milliseconds, hears it, and measures
/// how long that took.
final class Bystander: Sendable {
  private struct State {
    var times = TimeDistribution()
    var verdict: TimeDistribution?
    /// What has not been heard yet.
    var sent: [Int: NIODeadline] = [:]
    /// The last that was sent.
    var newest = 0
    /// The last that counts, once that is known.
    var last = Int.max
    var closure: WebSocketConnection.Closure?
    var strange: [String] = []
  }

  /// A thread of its own, so that what the attackers do in this process delays it little.
  private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

  private let connection: Confined<WebSocketConnection>
  private let state: NIOLockedValueBox<State>
  private let publishing: RepeatedTask

  init(of endpoint: Endpoint) async throws {
    let channel = try #require(ChannelName("room:bystander"))
    let loop = Bystander.group.next()
    let state = NIOLockedValueBox(State())
    let isSubscribed = NIOLockedValueBox(false)
    let connection = try await Confined(on: loop) { loop in
      WebSocketConnection(to: endpoint, on: loop) { event in
        switch event {
        case .text(let text):
          switch try? ServerEvent(parsing: text) {
          case .subscribed: isSubscribed.withLockedValue { $0 = true }
          case .message(_, _, let data, _, _):
            state.withLockedValue { state in
              guard let number = Int(String(buffer: data)), let sent = state.sent.removeValue(forKey: number),
                number <= state.last
              else { return }
              state.times.record(Int((NIODeadline.now() - sent).nanoseconds / 1_000))
            }
          case .error(_, let error): state.withLockedValue { $0.strange.append("\(error)") }
          default: break
          }
        case .closed(let closure): state.withLockedValue { $0.closure = closure }
        default: break
        }
      }
    }
    self.state = state
    self.connection = connection
    try await eventually("an open WebSocket") { try await connection.use { $0.isOpen } ? true : nil }
    connection.use(soon: {
      $0.send(ClientRequest(id: 0, .subscribe(channel: channel, since: nil, presence: nil)))
    })
    try await eventually("a subscription") { isSubscribed.withLockedValue { $0 } ? true : nil }
    // The attackers may run with what processor time is left over; this one does not.
    try await loop.submit {
      var ordinary = sched_param()
      guard sched_setscheduler(0, SCHED_OTHER, &ordinary) == 0 else {
        throw IOError(errnoCode: errno, reason: "sched")
      }
    }.get()
    let number = NIOLoopBoundBox.makeBoxSendingValue(0, eventLoop: loop)
    publishing = loop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(5)) { _ in
      number.value += 1
      let next = number.value
      state.withLockedValue { state in
        state.sent[next] = .now()
        state.newest = next
      }
      connection.use(soon: {
        $0.send(
          ClientRequest(id: nil, .publish(channel: channel, data: ByteBuffer(string: "\(next)"), key: nil))
        )
      })
    }
  }

  /// Forgets what it has measured, and what it is still waiting for.
  func begin() {
    state.withLockedValue { state in
      state.times = TimeDistribution()
      state.verdict = nil
      state.sent = [:]
      state.last = .max
    }
  }

  /// What it has measured of all that it sent up to the first call of this, once that is enough. A node that has stopped
  /// answers nothing: what it owes is waited for, as the latest are the slowest.
  func verdict() async throws -> TimeDistribution {
    if let verdict = state.withLockedValue({ $0.verdict }) { return verdict }
    _ = try await times(100)
    let last = state.withLockedValue { state in
      state.last = state.newest
      return state.last
    }
    let verdict = try await eventually(
      "all that a bystander has sent, who is \(closure.debugDescription)",
      within: .seconds(40)
    ) {
      state.withLockedValue { $0.sent.keys.contains { $0 <= last } ? nil : $0.times }
    }
    state.withLockedValue { $0.verdict = verdict }
    return verdict
  }

  /// What it has measured, once that is enough.
  func times(_ count: Int = 150) async throws -> TimeDistribution {
    try await eventually(
      "\(count) messages of a bystander, who is \(closure.debugDescription)",
      within: .seconds(40)
    ) {
      let times = state.withLockedValue { $0.times }
      return times.count >= count ? times : nil
    }
  }

  /// How many messages it has sent and not heard.
  var unheard: Int { state.withLockedValue { $0.sent.count } }

  var closure: WebSocketConnection.Closure? { state.withLockedValue { $0.closure } }

  /// What it was told and should not have been.
  var strange: [String] { state.withLockedValue { $0.strange } }

  func stop() {
    publishing.cancel()
    connection.use(soon: { $0.close() })
  }
}
