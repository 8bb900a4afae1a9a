import Logging
import NIOCore

/// Takes what happens on a connection, on its loop.
protocol RedisConnectionOwner: AnyObject {
  /// An attempt to connect begins.
  func connectionBegan()
  /// Connected, greeted and served.
  func connectionReady()
  /// What one turn of reading brought.
  func connectionReceived(_ replies: RedisReplies)
  /// A ready connection was lost, or an attempt failed. The next one follows by itself.
  func connectionLost(_ error: RedisError)
}

/// Keeps one connection to a server: connects, greets, and connects anew after a pause whenever it is lost.
/// Confined to its loop.
final class RedisConnection {
  enum Phase {
    /// Before `start`.
    case idle
    /// Waits for the socket; goes on to `greeting` or `waiting`.
    case connecting
    /// Waits for the answers to the greeting; goes on to `ready` or `waiting`.
    case greeting(any Channel, RedisSocket, RedisGreeting)
    /// Goes on to `waiting` when it is lost.
    case ready(any Channel, RedisSocket)
    /// Waits for the next attempt.
    case waiting
    /// Final.
    case closed
  }

  let eventLoop: any EventLoop
  let settings: RedisSettings
  weak var owner: (any RedisConnectionOwner)?
  /// How often a ready connection was made, the first one included.
  private(set) var connects = 0
  var phase = Phase.idle
  /// Names an attempt, so that what belongs to one before it is recognised.
  var attempt = 0

  private var reader: RedisReplyReader
  private var backoff: RedisBackoff
  private var formatter = RedisCommandFormatter()
  private var timer: Scheduled<Void>?
  /// The server has refused a write as a replica does: the next one is asked what it is.
  private var doubtsRole = false
  private var readySince: NIODeadline?
  private var log: RedisConnectionLog
  let receiveBuffer: any RecvByteBufferAllocator

  init(
    settings: RedisSettings,
    on eventLoop: any EventLoop,
    receiveBuffer: any RecvByteBufferAllocator,
    logger: Logger
  ) {
    self.settings = settings
    self.eventLoop = eventLoop
    self.receiveBuffer = receiveBuffer
    self.reader = RedisReplyReader(limits: settings.limits)
    self.backoff = RedisBackoff(minimum: settings.backoffMinimum, maximum: settings.backoffMaximum)
    self.log = RedisConnectionLog(logger, address: settings.address)
  }

  func start() {
    eventLoop.preconditionInEventLoop()
    guard case .idle = phase else { return }
    connect()
  }

  var isReady: Bool {
    if case .ready = phase { true } else { false }
  }

  /// Appends a command to `out`; false when it is too long.
  func format(_ arguments: [RedisArgument], into out: inout ByteBuffer) -> Bool {
    formatter.format(arguments, into: &out)
  }

  /// Sends formatted commands; only while ready.
  func write(_ bytes: ByteBuffer) {
    guard case .ready(let channel, _) = phase else { return }
    channel.writeAndFlush(bytes, promise: nil)
  }

  /// Gives the present connection up and makes another one.
  func drop(_ error: RedisError) {
    switch phase {
    case .greeting(let channel, let socket, _), .ready(let channel, let socket):
      socket.disown()
      channel.close(promise: nil)
      lost(error)
    case .connecting:
      lost(error)
    case .idle, .waiting, .closed:
      return
    }
  }

  /// The server is not, or no longer, the primary: another one may have its name by now.
  func foundReplica(_ error: RedisServerError) {
    doubtsRole = true
    drop(.server(error))
  }

  /// Closes for good. The owner is not told.
  func close() -> EventLoopFuture<Void> {
    let before = phase
    phase = .closed
    timer?.cancel()
    timer = nil
    switch before {
    case .greeting(let channel, let socket, _), .ready(let channel, let socket):
      socket.disown()
      channel.close(promise: nil)
      return channel.closeFuture
    case .idle, .connecting, .waiting, .closed:
      return eventLoop.makeSucceededVoidFuture()
    }
  }

  private func connect() {
    phase = .connecting
    attempt += 1
    reader = RedisReplyReader(limits: settings.limits)
    arm(settings.connectTimeout) { connection in
      connection.drop(.timeout("no answer from \(connection.settings.address) to the greeting"))
    }
    owner?.connectionBegan()
    if case .connecting = phase { openSocket() }
  }

  /// The socket is there: greets.
  func opened(_ channel: any Channel, _ socket: RedisSocket) {
    let greeting = RedisGreeting(settings, asksRole: doubtsRole)
    phase = .greeting(channel, socket, greeting)
    var bytes = ByteBuffer()
    for command in greeting.commands { _ = format(command, into: &bytes) }
    channel.writeAndFlush(bytes, promise: nil)
  }

  func lost(_ error: RedisError) {
    if let readySince, NIODeadline.now() - readySince > .seconds(1) { backoff.reset() }
    readySince = nil
    phase = .waiting
    let pause = backoff.next(jitter: Double.random(in: 0...1))
    log.lost(error, retryIn: pause)
    arm(pause) { $0.connect() }
    owner?.connectionLost(error)
  }

  /// The one timer: the end of an attempt, or of a pause.
  private func arm(_ delay: TimeAmount, _ then: @escaping (RedisConnection) -> Void) {
    timer?.cancel()
    timer = eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
      if let self { then(self) }
    }
  }
}

extension RedisConnection: RedisSocketOwner {
  func socketRead(_ socket: RedisSocket, _ bytes: ByteBuffer) {
    guard isCurrent(socket) else { return }
    do throws(RedisError) {
      try reader.feed(bytes)
    } catch {
      socketReadAll(socket)
      if isCurrent(socket) { drop(error) }
    }
  }

  func socketReadAll(_ socket: RedisSocket) {
    guard isCurrent(socket) else { return }
    var replies = reader.takeReplies()
    while case .greeting(let channel, let socket, var greeting) = phase, let reply = replies.nextReply() {
      switch greeting.answered(reply) {
      case .more: phase = .greeting(channel, socket, greeting)
      case .ready: ready(channel, socket)
      case .refused(let error): return drop(error)
      }
    }
    if isCurrent(socket), !replies.isEmpty { owner?.connectionReceived(replies) }
  }

  func socketClosed(_ socket: RedisSocket, because error: (any Error)?) {
    guard isCurrent(socket) else { return }
    socketReadAll(socket)
    guard isCurrent(socket) else { return }
    drop(.connectionLost(explainLoss(error)))
  }

  private func ready(_ channel: any Channel, _ socket: RedisSocket) {
    timer?.cancel()
    timer = nil
    phase = .ready(channel, socket)
    readySince = .now()
    connects += 1
    log.ready()
    owner?.connectionReady()
  }

  private func isCurrent(_ socket: RedisSocket) -> Bool {
    switch phase {
    case .greeting(_, let current, _), .ready(_, let current): current === socket
    case .idle, .connecting, .waiting, .closed: false
    }
  }
}

@available(*, unavailable)
extension RedisConnection: Sendable {}
