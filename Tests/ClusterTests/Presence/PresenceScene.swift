import Foundation
import LoadTesting
import NIOCore
import SluiceClient
import Testing
import Wire

/// Rooms of a cluster with members, and watchers of all of them.
struct PresenceScene: Sendable {
  /// Within which presence is true after a fault.
  static let soon = Duration.seconds(10)
  /// Present sessions on the node that is killed, `SLUICE_TEST_SESSIONS`.
  static let sessions =
    ProcessInfo.processInfo.environment["SLUICE_TEST_SESSIONS"].flatMap { Int($0) } ?? 3_000

  let cluster: Cluster
  let rooms: [ChannelName]
  let watchers: [PresenceWatcher]

  /// - Parameter nodes: those with a watcher.
  init(_ cluster: Cluster, rooms count: Int = 1, watchedOn nodes: [Int]) async throws {
    self.cluster = cluster
    let tag = String(UInt32.random(in: .min ... .max), radix: 36)
    rooms = try (0..<count).map { try #require(ChannelName("room:\(tag)-\($0)")) }
    var watchers: [PresenceWatcher] = []
    for node in nodes { watchers.append(try await PresenceWatcher(of: rooms, at: cluster.node(node))) }
    self.watchers = watchers
  }

  /// Members, each of one room.
  func members(
    _ count: Int,
    at endpoint: (Int) -> Endpoint,
    route: String? = nil
  ) async throws -> Fleet {
    let fleet = try await Fleet(
      (0..<count).map { number in
        var settings = SubscriberSettings(
          name: "member \(number)",
          endpoint: endpoint(number),
          channels: [rooms[number % rooms.count]]
        )
        settings.presence = .join
        settings.route = route
        return settings
      },
      over: .milliseconds(Int64(count))
    )
    try await fleet.ready(within: .seconds(90))
    return fleet
  }

  /// What a node says of all rooms, page by page.
  func seats(on node: Int) async throws -> Set<Seat> {
    var seats: Set<Seat> = []
    for room in rooms {
      var after: String? = ""
      while let last = after {
        let query = "limit=1000" + (last.isEmpty ? "" : "&after=\(last)")
        let page = try await HTTP.get(cluster.node(node), "/v1/channels/\(room.text)/presence?\(query)")
          .object
        let members = page?["members"]?.elements?.compactMap { $0.object?["member"]?.string } ?? []
        seats.formUnion(members.map { Seat(room: room, member: $0) })
        after = page?["next"]?.string
      }
    }
    return seats
  }

  /// Waits until whoever looks and whoever listens know the same.
  func settled(
    _ what: String,
    on nodes: [Int] = [0, 1, 2],
    since start: ContinuousClock.Instant,
    _ expected: () async throws -> Set<Seat>
  ) async throws {
    var took = Duration.zero
    do {
      try await eventually("presence that is true: \(what)", within: .seconds(30), every: .milliseconds(50)) {
        let expected = try await expected()
        guard watchers.allSatisfy({ $0.present == expected }) else { return false }
        // Reading many rooms takes its time.
        took = ContinuousClock.now - start
        for node in nodes where try await seats(on: node) != expected { return false }
        return true
      }
    } catch {
      let expected = try await expected()
      for (index, watcher) in watchers.enumerated() {
        let (more, less) = (watcher.present.subtracting(expected), expected.subtracting(watcher.present))
        print("  watcher \(index) has \(more.count) too many, \(less.count) too few")
      }
      for node in nodes {
        print("  \(Cluster.nodeNames[node]) says \(try await seats(on: node).count) members")
      }
      throw error
    }
    print("  \(what): presence was true after \(took)")
    #expect(took < PresenceScene.soon, "\(what)")
  }

  /// Waits until every watcher has heard everybody.
  func heard(_ seats: Set<Seat>) async throws {
    try await eventually(
      "\(seats.count) members",
      within: .seconds(60),
      every: .milliseconds(50),
      holds: {
        watchers.allSatisfy { $0.present == seats }
      }
    )
  }

  func end(_ fleets: Fleet...) async throws {
    for fleet in fleets { try await fleet.stop() }
    for watcher in watchers { watcher.stop() }
  }
}
