internal import Admission
private import AsyncHTTPClient
internal import Logging
private import NIOConcurrencyHelpers
internal import NIOCore
private import NIOHTTP1
private import Telemetry

/// Follows a set of keys at a URL (RFC 7517): asks for it again and again, keeps what it has while that fails, and asks
/// out of turn when a token names a key that is not known. A key that is in the set no longer stays for as long as a node
/// that did not ask out of turn has it.
actor KeySetFollower {
  /// How often it asks, and how soon after a failure at first and at last.
  static let interval = Duration.seconds(300)
  static let retry = Duration.seconds(2)
  static let longestRetry = Duration.seconds(60)
  /// How long a key counts after it was last in the set: it is gone with the next question in turn, on every node.
  static let keeping = interval * 4 / 5
  /// Sets of the past whose keys are kept, at the most.
  static let mostFormer = 4
  /// Out of turn so many times at once, and once more each ten seconds.
  static let outOfTurn = TokenBucket.Rate(perSecond: 0.1, burst: 3)
  static let timeout = TimeAmount.seconds(5)
  static let largest = 262_144
  /// Tokens that wait for an answer at once; the others are refused.
  static let mostWaiting = 256

  private let url: String
  /// The same, as it may be logged.
  private let shown: String
  private let own: [TokenKey]
  private let verifier: TokenVerifier
  private let client: HTTPClient
  private let keeping: Duration
  private let log: Logger
  private var body: ByteBuffer?
  private var current = Edition()
  /// The newest first.
  private var former: [Edition] = []
  private var fetching: Task<Bool, Never>?
  private var questions = TokenBucket()
  private var following: Task<Void, Never>?
  private let waiting = NIOLockedValueBox(0)

  /// The keys of a set, and when that was last what the URL answered.
  private struct Edition {
    var keys: [TokenKey] = []
    var seen = ContinuousClock.now
  }

  /// - Parameters:
  ///   - own: keys that are always there.
  ///   - keeping: how long a key counts after it was last in the set.
  init(
    _ url: String,
    besides own: [TokenKey],
    for verifier: TokenVerifier,
    keeping: Duration = KeySetFollower.keeping,
    on group: any EventLoopGroup,
    log: Logger
  ) {
    self.url = url
    self.keeping = keeping
    shown = SettingKind.withoutPassword(ofWebURL: url)
    self.own = own
    self.verifier = verifier
    self.log = log
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow,
      timeout: .init(connect: .seconds(3), read: KeySetFollower.timeout)
    )
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1
    // One loop, as its requests are on the loop of their connection then.
    client = HTTPClient(eventLoopGroupProvider: .shared(group.next()), configuration: configuration)
  }

  /// Asks once, and goes on in the background.
  func start() async {
    verifier.whenKeyIsUnknown { [self, waiting] loop, done in
      let isRoom = waiting.withLockedValue { count in
        guard count < KeySetFollower.mostWaiting else { return false }
        count += 1
        return true
      }
      guard isRoom else { return done() }
      Task {
        await askOutOfTurn()
        waiting.withLockedValue { $0 -= 1 }
        loop.execute { done() }
      }
    }
    _ = await fetch()
    following = Task { await follow() }
  }

  func stop() async {
    verifier.whenKeyIsUnknown { _, done in done() }
    following?.cancel()
    fetching?.cancel()
    try? await client.shutdown()
  }

  private func follow() async {
    var wait = body == nil ? KeySetFollower.retry : KeySetFollower.interval
    while !Task.isCancelled {
      // Nodes that were started together do not ask together.
      try? await Task.sleep(for: wait * Double.random(in: 0.8...1.2))
      guard !Task.isCancelled else { return }
      let hadKeys = await fetch()
      wait =
        hadKeys
        ? KeySetFollower.interval : min(max(wait * 2, KeySetFollower.retry), KeySetFollower.longestRetry)
    }
  }

  private func askOutOfTurn() async {
    if fetching == nil, questions.take(at: KeySetFollower.outOfTurn, now: .now()) != nil { return }
    _ = await fetch()
  }

  /// Whether it was answered with keys. One request at a time; who comes meanwhile waits for it.
  private func fetch() async -> Bool {
    if let fetching { return await fetching.value }
    let task = Task { await load() }
    fetching = task
    defer { fetching = nil }
    return await task.value
  }

  private func load() async -> Bool {
    do {
      let new = try await KeySetFollower.set(at: url, client)
      let now = ContinuousClock.now
      let isNew = new != body
      let newest = Edition(keys: isNew ? try read(new) : current.keys, seen: now)
      let before = isNew && body != nil ? [current] + former : former
      let kept = before.prefix(KeySetFollower.mostFormer).filter { now - $0.seen < keeping }
      if isNew || kept.count < former.count {
        // The newest come first: not all are tried for a token that names none.
        let opened = try await TokenKeys(opening: own + newest.keys + kept.flatMap(\.keys))
        verifier.replaceKeys(opened)
        TokenDoor.warn(opened, log)
      }
      (current, former, body) = (newest, kept, new)
      guard isNew else { return true }
      log.notice(
        "the keys for tokens are there",
        metadata: [LogKey.address: "\(shown)", LogKey.count: "\(newest.keys.count)"]
      )
      return true
    } catch {
      log.warning(
        "the keys for tokens were not read; those that are known stay valid",
        metadata: [LogKey.address: "\(shown)", LogKey.error: "\(error)"]
      )
      return false
    }
  }

  private func read(_ set: ByteBuffer) throws -> [TokenKey] {
    try TokenKey.read(keySet: Array(set.readableBytesView), publicOnly: true) { [log, shown] broken in
      log.warning(
        "a key for tokens is of no use, and passed over",
        metadata: [LogKey.address: "\(shown)", LogKey.error: "\(broken)"]
      )
    }
  }

  /// What is answered, once all of it is there. The client's own deadline ends with the head.
  private static func set(at url: String, _ client: HTTPClient) async throws -> ByteBuffer {
    try await withThrowingTaskGroup(of: ByteBuffer.self) { group in
      group.addTask {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "Accept", value: "application/jwk-set+json, application/json")
        let response = try await client.execute(request, timeout: timeout)
        guard response.status == .ok else { throw Failure("answered \(response.status.code)") }
        return try await response.body.collect(upTo: largest)
      }
      group.addTask {
        try await Task.sleep(for: .nanoseconds(timeout.nanoseconds))
        throw Failure("not all of it was there in time")
      }
      defer { group.cancelAll() }
      guard let set = try await group.next() else { throw CancellationError() }
      return set
    }
  }

  private struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
      self.description = description
    }
  }
}
