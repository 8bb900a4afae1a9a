import Brokering
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Sessions
import Testing
import Transports
import Wire

@testable import GatewayNode

@Suite struct ConductorTests {
  /// Sessions that leave as soon as they are told.
  private final class Keeper: SessionKeeper {
    var sessions: Int
    var untold: Int
    let departing = 0
    var outstayed = 0
    let stays: Bool
    var isRefusing = true
    var told: [Int] = []
    var drains = 0

    init(_ sessions: Int, stays: Bool = false) {
      self.sessions = sessions
      self.untold = sessions
      self.stays = stays
    }

    func refuseNew(_ refusing: Bool) { isRefusing = refusing }

    func sendAway(_ count: Int) -> Int {
      let count = min(count, untold)
      untold -= count
      if !stays { sessions -= count }
      told.append(count)
      return count
    }

    func drainEnded() { drains += 1 }

    func closeRemaining() -> Int {
      defer { sessions = 0 }
      return sessions
    }
  }

  private struct Cast {
    let status: NodeStatus
    let conductor: Conductor
    let crews: [Crew]
    let changes = NIOLockedValueBox(0)

    init(
      _ sessions: [Int],
      stays: Bool = false,
      others: @escaping @Sendable () async -> Double? = { nil },
      _ adjust: (inout NodeSettings) -> Void
    ) throws {
      var settings = NodeSettings()
      adjust(&settings)
      crews = try sessions.map { count in
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        return try loop.submit { Crew(Keeper(count, stays: stays), on: loop) }.wait()
      }
      let changes = changes
      status = NodeStatus(
        node: "n",
        incarnation: "n/1",
        broker: MemoryBroker(namespaces: Namespaces(), incarnation: "n/1"),
        metrics: TransportMetrics()
      )
      conductor = Conductor(
        settings: settings,
        status: status,
        loop: MultiThreadedEventLoopGroup.singleton.next(),
        crews: crews,
        log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
        others: others,
        changed: { changes.withLockedValue { $0 += 1 } }
      )
    }

    /// What each keeper answers.
    func keepers<Answer: Sendable>(_ body: @escaping @Sendable (Keeper) -> Answer) async throws -> [Answer] {
      var answers: [Answer] = []
      for crew in crews {
        answers.append(
          try await crew.ask { keeper in
            guard let keeper = keeper as? Keeper else { preconditionFailure("a keeper of this suite") }
            return body(keeper)
          }.get()
        )
      }
      return answers
    }

    /// Waits until every keeper does, each on its own loop.
    func waitUntil(allRefuse: Bool) async throws {
      let deadline = NIODeadline.now() + .seconds(10)
      while try await keepers({ $0.isRefusing }).contains(!allRefuse) {
        try #require(NIODeadline.now() < deadline, "some keeper never heard that it refuses: \(allRefuse)")
        try await Task.sleep(for: .milliseconds(5))
      }
    }

    /// Has a command carried out, and answers the node's object or the error's code.
    func carryOut(_ act: NodeCommand.Act) async throws -> Result<JSONObject, ClientError> {
      switch try await conductor.carryOut(NodeCommand(act, by: "test")).get() {
      case .success(let node): .success(try JSONObject(node))
      case .failure(let error): .failure(error)
      }
    }

    func waitUntil(_ state: NodeState) async throws {
      try await waitUntil("\(state)") { $0.standing.state == state }
    }

    func waitUntil(_ what: String, _ condition: (NodeStatus) -> Bool) async throws {
      let deadline = NIODeadline.now() + .seconds(10)
      while !condition(status) {
        try #require(NIODeadline.now() < deadline, "in vain: \(what); it is \(status.standing)")
        try await Task.sleep(for: .milliseconds(5))
      }
    }
  }

  @Test func aSignalSendsEveryoneAwayAndExits() async throws {
    let cast = try Cast([30, 10, 0]) {
      $0.drainWindow = .seconds(2)
      $0.settle = .milliseconds(100)
    }
    #expect(cast.status.standing == NodeStatus.Standing(state: .starting))
    cast.conductor.started()
    try await cast.waitUntil(.ready)
    try await cast.waitUntil(allRefuse: false)
    let begin = NIODeadline.now()
    cast.conductor.signalled()
    try await cast.waitUntil(.draining)
    try await cast.waitUntil(allRefuse: true)
    #expect(try await cast.conductor.exitCode.get() == 0)
    #expect(NIODeadline.now() - begin >= .milliseconds(2_100))
    #expect(try await cast.keepers { $0.untold } == [0, 0, 0])
    #expect(try await cast.keepers { $0.told.count }[0] >= 4)
    #expect(try await cast.keepers { $0.drains } == [1, 1, 1])
    #expect(cast.status.standing.state == .drained)
    #expect(cast.changes.withLockedValue { $0 } == 3)
  }

  @Test func aSecondSignalEndsAtOnce() async throws {
    let cast = try Cast([5]) { $0.settle = .hours(1) }
    cast.conductor.started()
    cast.conductor.signalled()
    cast.conductor.signalled()
    #expect(try await cast.conductor.exitCode.get() == 1)
    #expect(try await cast.keepers { $0.told } == [[]])
    #expect(try await cast.keepers { $0.drains } == [0])
  }

  @Test func aCommandDrainsAndIsCalledOff() async throws {
    let cast = try Cast([4, 4]) { $0.settle = .zero }
    for act in [NodeCommand.Act.drain(overSeconds: 0), .undrain] {
      guard case .failure(let error) = try await cast.carryOut(act) else {
        Issue.record("a starting node obeyed")
        return
      }
      #expect(error.code == .unavailable)
    }
    cast.conductor.started()
    let node = try await cast.carryOut(.drain(overSeconds: 0)).get()
    #expect(node["state"]?.string == "draining")
    #expect(node["drain"]?.object?["forced"]?.integer == 0)
    try await cast.waitUntil(.drained)
    #expect(try await cast.keepers { $0.sessions } == [0, 0])
    #expect(try await cast.carryOut(.undrain).get()["state"]?.string == "ready")
    try await cast.waitUntil(allRefuse: false)
    #expect(try await cast.keepers { $0.drains } == [1, 1])
  }

  @Test func itIsTooLateToCallOffAnExit() async throws {
    let cast = try Cast([0]) { $0.settle = .zero }
    cast.conductor.started()
    cast.conductor.signalled()
    #expect(try await cast.conductor.exitCode.get() == 0)
    guard case .failure(let error) = try await cast.carryOut(.undrain) else {
      Issue.record("a node on its way out is ready again")
      return
    }
    #expect(error.code == .draining)
    #expect(error.retryAfterMS == nil)
  }

  @Test func thePaceIsWhatTheOthersTake() async throws {
    // Until they have said so it goes as planned, which a window of that length has room for.
    let cast = try Cast([2_000], others: { 20 }) {
      $0.settle = .milliseconds(300)
      $0.drainWindow = .seconds(20)
    }
    cast.conductor.started()
    cast.conductor.signalled()
    // Far less than the 100 a second of the plan.
    try await cast.waitUntil("a stretched drain") {
      $0.standing.drain.map { $0.perSecond > 0 && $0.perSecond <= 21 && $0.secondsLeft > 25 } == true
    }
    cast.conductor.signalled()
    #expect(try await cast.conductor.exitCode.get() == 1)
  }

  @Test func whoIsClosedForStayingIsCounted() async throws {
    let cast = try Cast([5, 5], stays: true) {
      $0.settle = .zero
      $0.drainWindow = .zero
    }
    cast.conductor.started()
    cast.conductor.signalled()
    try await cast.waitUntil("everyone told") { $0.standing.drain?.remaining == 10 }
    _ = try await cast.keepers { keeper in
      keeper.outstayed += 2
      keeper.sessions -= 2
    }
    try await cast.waitUntil("four that were closed") { $0.standing.drain?.forced == 4 }
    #expect(cast.status.standing.drain?.remaining == 6)
    cast.conductor.signalled()
    #expect(try await cast.conductor.exitCode.get() == 1)
  }

  @Test(arguments: [
    (10, [100, 100], [5, 5]), (1, [1, 1, 1], [0, 0, 1]), (3, [1, 1, 1], [1, 1, 1]), (5, [0, 9], [0, 5]),
    (99, [2, 3], [2, 3]), (4, [0, 0], [0, 0]), (10, [1, 1_000], [0, 10]),
  ])
  func sharesAreInProportion(_ count: Int, _ untold: [Int], _ expected: [Int]) {
    let shares = Conductor.shares(of: count, among: untold)
    #expect(shares.reduce(0, +) == expected.reduce(0, +))
    #expect(zip(shares, untold).allSatisfy { $0 <= $1 })
    #expect(shares.sorted() == expected.sorted())
  }
}
