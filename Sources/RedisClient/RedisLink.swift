import DequeModule
public import Logging
public import NIOCore

/// A connection for commands, confined to one event loop.
///
/// Everything sent in one turn of the loop leaves in one write, and answers come in the order of the commands.
/// When the connection is lost every waiting command fails at once, and another connection is made by itself.
public final class RedisLink {
  public typealias Completion = (Result<RedisValue, RedisError>) -> Void

  /// How a link stands.
  public enum State: Sendable, Equatable {
    case connecting
    case ready
    /// The next attempt follows by itself.
    case down(RedisError)
    case closed
  }

  public let eventLoop: any EventLoop
  public private(set) var state = State.down(.notConnected(because: "it was not started"))
  /// Called on the loop with each change of `state`. Set it before `start`.
  public var onState: ((State) -> Void)?
  /// Commands sent so far.
  public private(set) var commands = 0
  /// How often a connection was made anew, the first one not counted.
  public var reconnects: Int { max(0, connection.connects - 1) }
  /// Commands that wait for their answers.
  public var pending: Int { queue.count }
  /// For how long commands have waited and none was answered; zero when none waits.
  public func silence(now: NIODeadline) -> TimeAmount { queue.silence(now: now) }

  private let connection: RedisConnection
  private let settings: RedisSettings
  private var queue: RedisPendingQueue
  private var outgoing = ByteBuffer()
  private var flushesSoon = false
  private var timer: Scheduled<Void>?
  var lanes: [RedisScript: RedisScriptLane] = [:]
  /// Calls of scripts that are not sent yet.
  private var held = (count: 0, bytes: 0)

  public init(_ settings: RedisSettings, on eventLoop: any EventLoop, logger: Logger) {
    self.settings = settings
    self.eventLoop = eventLoop
    self.queue = RedisPendingQueue(settings)
    self.connection = RedisConnection(
      settings: settings,
      on: eventLoop,
      receiveBuffer: AdaptiveRecvByteBufferAllocator(minimum: 2_048, initial: 8_192, maximum: 131_072),
      logger: logger
    )
    connection.owner = self
  }

  /// Connects, on the loop. A link is used once: after `close` it stays closed.
  public func start() {
    connection.start()
  }

  /// Sends one command, on the loop. `done` is called there later, exactly once, never before this returns.
  /// It fails at once, unsent, while the link is not ready or when too much waits already.
  public func send(_ arguments: [RedisArgument], _ done: @escaping Completion) {
    eventLoop.preconditionInEventLoop()
    guard case .ready = state else { return fail(done, unreadyError) }
    guard queue.hasRoom else { return refuse(done) }
    let before = outgoing.writerIndex
    guard connection.format(arguments, into: &outgoing) else { return fail(done, .tooLong) }
    queue.append(bytes: outgoing.writerIndex - before, now: .now(), done)
    commands += 1
    flushSoon()
    armTimer()
  }

  /// Gives the present connection up, because what it answers cannot belong to what was asked, and makes another.
  public func distrust(because reason: String) {
    eventLoop.preconditionInEventLoop()
    connection.drop(.protocolViolation(reason))
  }

  /// Closes for good, on the loop. What waits fails with `closed`. The answer is done when the socket is gone.
  @discardableResult
  public func close() -> EventLoopFuture<Void> {
    eventLoop.preconditionInEventLoop()
    guard state != .closed else { return eventLoop.makeSucceededVoidFuture() }
    let gone = connection.close()
    timer?.cancel()
    timer = nil
    change(to: .closed)
    failAll(.closed)
    return gone
  }

  private var unreadyError: RedisError {
    switch state {
    case .connecting: .notConnected(because: "connecting to \(settings.address)")
    case .down(.notConnected(let reason)): .notConnected(because: reason)
    case .down(let reason): .notConnected(because: reason.description)
    case .closed, .ready: .closed
    }
  }

  func refuse(_ done: @escaping Completion) {
    fail(done, .overloaded(pending: queue.count + held.count))
  }

  /// Notes a call that waits to be sent, if there is room.
  func canHold(_ call: RedisScriptCall) -> Bool {
    guard queue.hasRoom(beside: held.count, bytes: held.bytes) else { return false }
    held.count += 1
    held.bytes += call.bytes
    return true
  }

  func letGo(_ calls: [RedisScriptCall]) {
    held.count -= calls.count
    held.bytes -= calls.reduce(0) { $0 + $1.bytes }
  }

  private func fail(_ done: @escaping Completion, _ error: RedisError) {
    eventLoop.assumeIsolated().execute { done(.failure(error)) }
  }

  private func failAll(_ error: RedisError) {
    outgoing = ByteBuffer()
    for done in queue.takeAll() { done(.failure(error)) }
  }

  private func change(to new: State) {
    state = new
    onState?(new)
  }

  private func flushSoon() {
    guard !flushesSoon else { return }
    flushesSoon = true
    eventLoop.assumeIsolated().execute {
      self.flushesSoon = false
      guard self.outgoing.readableBytes > 0 else { return }
      self.connection.write(self.outgoing)
      self.outgoing = ByteBuffer()
    }
  }

  /// One timer looks after all commands: it is set for the oldest, and looks again when that was answered.
  private func armTimer() {
    guard timer == nil, let deadline = queue.nextDeadline else { return }
    timer = eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in
      self?.timerFired()
    }
  }

  private func timerFired() {
    timer = nil
    let late = queue.takeLate(now: .now())
    let seconds = Double(settings.commandTimeout.nanoseconds) / 1e9
    if late.isStuck {
      connection.drop(.timeout("\(settings.address) has answered nothing for \(2 * seconds) s"))
    }
    for done in late.dones {
      done(.failure(.timeout("a command to \(settings.address), within \(seconds) s")))
    }
    armTimer()
  }
}

extension RedisLink: RedisConnectionOwner {
  func connectionBegan() {
    change(to: .connecting)
  }

  func connectionReady() {
    change(to: .ready)
  }

  func connectionReceived(_ replies: RedisReplies) {
    var replies = replies
    let now = NIODeadline.now()
    while case .ready = state, let reply = replies.nextReply() {
      guard let done = queue.answerFirst(now: now) else {
        return connection.drop(.protocolViolation("an answer to no command"))
      }
      done?(reply)
      if case .failure(.server(let error)) = reply, error.prefix == "READONLY" {
        return connection.foundReplica(error)
      }
    }
  }

  func connectionLost(_ error: RedisError) {
    change(to: .down(error))
    failAll(error.asLoss)
  }
}

extension RedisError {
  /// What a lost connection's reason means for a command that was on its way.
  fileprivate var asLoss: RedisError {
    switch self {
    case .connectionLost, .timeout, .protocolViolation, .closed: self
    default: .connectionLost(description)
    }
  }
}

@available(*, unavailable)
extension RedisLink: Sendable {}
