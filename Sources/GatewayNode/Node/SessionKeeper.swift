internal import NIOCore

/// The sessions of one event loop, as a drain sees them. Confined to that loop.
protocol SessionKeeper: AnyObject {
  /// Sessions whose connection is held.
  var sessions: Int { get }
  /// Those among them that have had no goodbye.
  var untold: Int { get }
  /// Memberships that outlive their connection for the grace time.
  var departing: Int { get }

  /// Sessions that stayed after their goodbye until they were closed for it, ever.
  var outstayed: Int { get }

  /// Whether new sessions are told to go elsewhere.
  func refuseNew(_ refusing: Bool)

  /// Says goodbye to at most that many sessions that have had none; answers to how many.
  func sendAway(_ count: Int) -> Int

  /// The drain is over: a session that comes to be held after all, until new ones are taken again, is told at once.
  func drainEnded()

  /// Closes every session that is left, at the end of a drain; answers how many there were.
  func closeRemaining() -> Int
}

/// One event loop's keeper, for other threads.
struct Crew: Sendable {
  let loop: any EventLoop
  private let keeper: NIOLoopBound<any SessionKeeper>

  /// On `loop`.
  init(_ keeper: any SessionKeeper, on loop: any EventLoop) {
    self.loop = loop
    self.keeper = NIOLoopBound(keeper, eventLoop: loop)
  }

  /// Soon, on the keeper's loop.
  func tell(_ body: @escaping @Sendable (any SessionKeeper) -> Void) {
    loop.execute { body(keeper.value) }
  }

  /// What `body` answers on the keeper's loop.
  func ask<Answer: Sendable>(
    _ body: @escaping @Sendable (any SessionKeeper) -> Answer
  ) -> EventLoopFuture<Answer> {
    loop.submit { body(keeper.value) }
  }
}
