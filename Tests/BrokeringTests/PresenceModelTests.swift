import Brokering
import NIOCore
import NIOPosix
import RedisClient
import TestRedis
import Testing
import Wire

/// Random joins and leaves on both brokers, held against a plain set; on Redis also leases that end.
@Suite(.serialized)
struct PresenceModelTests {
  /// What presence is: holders by member.
  struct Plain {
    struct Holder: Hashable {
      let node: Int
      let serial: UInt64
    }

    static let members = (0..<7).map { number in
      Member(id: "m\(number)", user: number < 6 ? "u\(number / 3)" : nil, since: Int64(number))
    }

    var holders: [String: Set<Holder>] = [:]

    var present: [Member] { Plain.members.filter { holders[$0.id]?.isEmpty == false } }

    func page(limit: Int, after: String?) -> PresencePage {
      let rest = present.filter { member in after.map { member.id > $0 } ?? true }
      let users = Set(present.compactMap(\.user)).count
      let page = Array(rest.prefix(limit))
      let next = rest.count > limit ? page.last?.id : nil
      return PresencePage(members: page, count: present.count, users: users, next: next)
    }
  }

  enum Step {
    case join(Member, Plain.Holder)
    case leave(Member, Plain.Holder)
    case page(limit: Int, after: String?)
    /// The lease of node 1 ends, as it does without heartbeats.
    case expire

    static func random(using dice: inout Dice) -> Step {
      let member = Plain.members.randomElement(using: &dice)!
      let serial = UInt64.random(in: 1...3, using: &dice)
      let holder = Plain.Holder(node: Int.random(in: 0...1, using: &dice), serial: serial)
      switch Int.random(in: 0..<20, using: &dice) {
      case 0..<9: return .join(member, holder)
      case 9..<16: return .leave(member, holder)
      case 16..<19:
        let after = Bool.random(using: &dice) ? "m\(Int.random(in: 0..<7, using: &dice))" : nil
        return .page(limit: Int.random(in: 1...8, using: &dice), after: after)
      default: return .expire
      }
    }
  }

  @Test func aLoneNodeHoldsWhatAPlainSetHolds() async throws {
    let broker = MemoryBroker(namespaces: BrokerSuite.namespaces, incarnation: "one/1")
    let nodes = [
      try await PortProbe.make(broker, on: MultiThreadedEventLoopGroup.singleton.next()),
      try await PortProbe.make(broker, on: MultiThreadedEventLoopGroup.singleton.next()),
    ]
    try await run(1_000, nodes) { _ in }
  }

  @Test func aClusterHoldsWhatAPlainSetHolds() async throws {
    let cluster = try await RedisCluster()
    let quick: (inout RedisBrokerSettings) -> Void = { settings in
      settings.heartbeat = .milliseconds(50)
      settings.lease = .seconds(30)
      settings.sweep = .milliseconds(20)
      settings.rejoin = .milliseconds(50)
    }
    let (one, near) = try await cluster.node("one", quick)
    let (two, far) = try await cluster.node("two", quick)
    try await run(60, [near, far]) { held in
      let losses = try await far.heard { $0.presenceLosses }
      let leases = try #require(try await cluster.command("HKEYS", "sluice:nodes").array).compactMap(\.string)
      var ended: [String] = []
      for lease in leases where lease.hasPrefix("two/1#") && !leases.contains("!\(lease)") {
        ended.append(lease)
        _ = try await cluster.command("HSET", "sluice:nodes", .string(lease), "1 {}")
        _ = try await cluster.command("HSET", "sluice:nodes", .string("!\(lease)"), "1")
      }
      try await far.wait { $0.presenceLosses > losses }
      // As a node does that hears of it.
      for (channel, member, serial) in held {
        try await far.join(channel, member, holder: serial)
      }
      // Until then who leaves may be held by what was written before.
      for lease in ended {
        try await eventually("the sweep of \(lease)") {
          try await cluster.command("HGET", "sluice:nodes", .string("!\(lease)")).string == "swept"
        }
      }
    }
    await one.shutdown()
    await two.shutdown()
  }

  /// `expire` ends the lease of node 1 and joins what it held again.
  private func run(
    _ runs: Int,
    _ nodes: [PortProbe],
    expire: ([(ChannelName, Member, UInt64)]) async throws -> Void
  ) async throws {
    let first = UInt64.random(in: 0..<(1 << 32))
    print("presence model: \(runs) runs from seed \(first)")
    for seed in first..<(first + UInt64(runs)) {
      var dice = Dice(state: seed)
      let channel = ChannelName("model:\(seed)")!
      var plain = Plain()
      for node in nodes { try await node.listen(channel) }
      for _ in 0..<20 {
        let step = Step.random(using: &dice)
        switch step {
        case .join(let member, let holder):
          plain.holders[member.id, default: []].insert(holder)
          try await nodes[holder.node].join(channel, member, holder: serial(holder))
        case .leave(let member, let holder):
          plain.holders[member.id]?.remove(holder)
          try await nodes[holder.node].leave(channel, member.id, holder: serial(holder))
        case .page(let limit, let after):
          let node = nodes.randomElement(using: &dice)!
          let page = try await node.members(channel, limit: limit, after: after)
          #expect(page == plain.page(limit: limit, after: after), "seed \(seed): \(step)")
        case .expire:
          let held = plain.holders.flatMap { id, holders in
            holders.filter { $0.node == 1 }.map { holder in
              (channel, Plain.members.first { $0.id == id }!, serial(holder))
            }
          }
          try await expire(held)
        }
      }
      let expected = Set(plain.present.map(\.id))
      for node in nodes {
        #expect(try await node.members(channel) == plain.page(limit: 100, after: nil), "seed \(seed)")
        do {
          try await node.wait { $0.audience(channel) == expected }
        } catch {
          Issue.record("seed \(seed): \(try await node.audience(channel)) was told, not \(expected)")
          return
        }
        try await node.detach(channel)
      }
    }
  }

  private func serial(_ holder: Plain.Holder) -> UInt64 { holder.serial + UInt64(holder.node) * 100 }
}
