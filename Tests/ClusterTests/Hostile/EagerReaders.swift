import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SluiceClient
import Wire

/// WebSockets that ask for one page of a log after another, each as many at once as a node takes of one.
final class EagerReaders: Sendable {
  /// Then a node reads nothing more of it until one is answered.
  static let atOnce = 4

  struct Tally: Sendable {
    var open = 0
    var unanswered = 0
    var pages = 0
    var refusals: [ErrorCode: Int] = [:]
    /// Of those that were told that too much is read.
    var waits: Set<Int?> = []
    /// What should not have been.
    var strange: [String] = []
    var isOver = false
  }

  private let tally = NIOLockedValueBox(Tally())
  private let squad: Confined<[EagerReader]>

  init(_ count: Int, of channel: ChannelName, on endpoint: Endpoint) async throws {
    let tally = tally
    squad = try await Confined(on: MultiThreadedEventLoopGroup.singleton.any()) { loop in
      (0..<count).map { _ in EagerReader(of: channel, on: endpoint, loop, tally) }
    }
  }

  var now: Tally { tally.withLockedValue { $0 } }

  /// From now on each asks, and asks again when it is answered: at once after a page, and soon after a refusal.
  func begin() async throws {
    try await squad.use { squad in
      for reader in squad {
        for _ in 0..<EagerReaders.atOnce { reader.ask() }
      }
    }
  }

  /// They ask for nothing more.
  func stop() {
    tally.withLockedValue { $0.isOver = true }
  }

  func close() async throws {
    try await squad.use { squad in
      for reader in squad { reader.close() }
    }
  }
}

private final class EagerReader {
  /// How long who was refused waits. Too short, and the node does nothing but refuse.
  private static let pause = TimeAmount.milliseconds(500)

  private let channel: ChannelName
  private let loop: any EventLoop
  private let tally: NIOLockedValueBox<EagerReaders.Tally>
  private var connection: WebSocketConnection?
  private var lastID: Int64 = 0

  init(
    of channel: ChannelName,
    on endpoint: Endpoint,
    _ loop: any EventLoop,
    _ tally: NIOLockedValueBox<EagerReaders.Tally>
  ) {
    self.channel = channel
    self.loop = loop
    self.tally = tally
    connection = WebSocketConnection(to: endpoint, on: loop) { [weak self] in self?.heard($0) }
  }

  func ask() {
    guard let connection, connection.isOpen, !tally.withLockedValue({ $0.isOver }) else { return }
    lastID += 1
    tally.withLockedValue { $0.unanswered += 1 }
    connection.send(ClientRequest(id: lastID, .history(channel: channel, range: .newest, limit: 1)))
  }

  func close() {
    connection?.close()
  }

  private func heard(_ event: WebSocketConnection.Event) {
    switch event {
    case .opened: tally.withLockedValue { $0.open += 1 }
    case .text(let text): answered(text)
    case .closed(let closure):
      tally.withLockedValue { tally in
        if !tally.isOver { tally.strange.append("\(closure)") }
      }
    case .binary, .ping, .pong: break
    }
  }

  private func answered(_ text: ByteBuffer) {
    switch try? ServerEvent(parsing: text) {
    case .history:
      tally.withLockedValue { tally in
        tally.unanswered -= 1
        tally.pages += 1
      }
      ask()
    case .error(_?, let error):
      tally.withLockedValue { tally in
        tally.unanswered -= 1
        tally.refusals[error.code, default: 0] += 1
        if error.code == .overloaded { tally.waits.insert(error.retryAfterMS) }
      }
      loop.assumeIsolated().scheduleTask(in: EagerReader.pause) { self.ask() }
    case .welcome: break
    default: tally.withLockedValue { $0.strange.append(String(buffer: text)) }
    }
  }
}

@available(*, unavailable)
extension EagerReader: Sendable {}
