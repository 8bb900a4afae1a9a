import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import RedisClient
import TestRedis

typealias Reply = Result<RedisValue, RedisError>

/// Drives a link from a test's task.
final class LinkDriver: Sendable {
  private let link: NIOLoopBound<RedisLink>
  private let loop: any EventLoop
  private let log = NIOLockedValueBox<[RedisLink.State]>([])

  init(_ settings: RedisSettings) async throws {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let log = log
    self.loop = loop
    link = try await loop.submit {
      let link = RedisLink(settings, on: loop, logger: quiet)
      link.onState = { state in log.withLockedValue { $0.append(state) } }
      link.start()
      return NIOLoopBound(link, eventLoop: loop)
    }.get()
  }

  /// A link that is ready.
  static func ready(_ settings: RedisSettings) async throws -> LinkDriver {
    let driver = try await LinkDriver(settings)
    try await driver.becomesReady()
    return driver
  }

  /// Every state since the start.
  var states: [RedisLink.State] { log.withLockedValue { $0 } }
  var state: RedisLink.State? { states.last }
  /// Why it was down last.
  var lastReason: RedisError? {
    states.reversed().lazy.compactMap { if case .down(let error) = $0 { error } else { nil } }.first
  }

  func becomesReady() async throws {
    try await eventually("the link is ready, \(states.suffix(2))") { state == .ready }
  }

  /// On the link's loop.
  func run<T: Sendable>(_ body: @escaping @Sendable (RedisLink) -> T) async throws -> T {
    try await loop.submit { [link] in body(link.value) }.get()
  }

  /// Sends all in one turn of the loop; the answers in the order of the commands.
  func send(all commands: [[RedisArgument]]) async throws -> [Reply] {
    try await loop.flatSubmit { [link, loop] in
      let promises = commands.map { command in
        let promise = loop.makePromise(of: Reply.self)
        link.value.send(command) { promise.succeed($0) }
        return promise.futureResult
      }
      return EventLoopFuture.whenAllSucceed(promises, on: loop)
    }.get()
  }

  func send(_ command: RedisArgument...) async throws -> Reply {
    try await send(all: [command])[0]
  }

  func evaluate(_ script: RedisScript, all calls: [[RedisArgument]]) async throws -> [Reply] {
    try await loop.flatSubmit { [link, loop] in
      let promises = calls.map { arguments in
        let promise = loop.makePromise(of: Reply.self)
        link.value.evaluate(script, keys: ["list"], arguments: arguments) { promise.succeed($0) }
        return promise.futureResult
      }
      return EventLoopFuture.whenAllSucceed(promises, on: loop)
    }.get()
  }

  func close() async throws {
    try await loop.flatSubmit { [link] in link.value.close() }.get()
  }
}

/// A logger that says nothing.
let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
