import Foundation
import LoadTesting
import NIOCore
import SluiceClient
import Testing

/// Something hostile that is done to a node, which must go on serving others and be afterwards what it was before.
///
/// `Tests/attack` judges a release build more strictly than the tests do a debug build, by what it sets in the
/// environment.
enum Attack {
  private static func setting(_ name: String) -> Int? {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
  }

  /// The worst latency that is not held against a node, in microseconds, as a debug build that shares its cores with
  /// the attackers and the tests says no more.
  private static let floor = setting("SLUICE_ATTACK_FLOOR_US") ?? 1_000_000
  /// How often each is done. From the second time on a node may keep nothing more.
  private static let rounds = setting("SLUICE_ATTACK_ROUNDS") ?? 1
  /// What an allocator may have more after doing the same once more, in bytes.
  private static let unrest = 4 << 20

  @TaskLocal private static var bystander: Bystander?

  /// Runs a node, measures a bystander's latency before and during the attack, and the node's memory before and after.
  /// - Parameters:
  ///   - memory: bytes that the node may have more after the first time.
  ///   - attack: all of it counts as the attack, up to `isOver` if it says so.
  static func on(
    _ options: [String] = [],
    memory: Int = 8 << 20,
    _ name: String = #function,
    _ attack: (LoneNode) async throws -> Void
  ) async throws {
    try await LoneNode.run(options) { node in
      var (limit, before) = (try node.memory() + memory, 0)
      try await beside(
        node.endpoint,
        {
          before = try node.memory()
          try await attack(node)
        },
        after: { round, latency in
          let highest = try node.memory()
          let held =
            "no more than \(limit >> 10) KiB, after \(before >> 10) and \(highest >> 10) under attack"
          try await eventually(held, within: .seconds(40), every: .milliseconds(20)) {
            try node.memory() <= limit
          }
          print(
            "attack \(name), \(round): \(latency); memory \(before >> 10) KiB, \(highest >> 10), "
              + "\(try node.memory() >> 10) after"
          )
          limit = min(limit, try node.memory() + unrest)
        }
      )
    }
  }

  /// The same on a node that others use, too: only the bystander's latency is looked at.
  static func at(
    _ endpoint: Endpoint,
    _ name: String = #function,
    _ attack: () async throws -> Void
  ) async throws {
    try await beside(
      endpoint,
      attack,
      after: { round, latency in print("attack \(name), \(round): \(latency)") }
    )
  }

  /// A bystander's p99 in microseconds.
  private struct Latency: CustomStringConvertible {
    let quiet: Int
    let attacked: Int
    var description: String { "p99 \(quiet) us quiet, \(attacked) us attacked" }
  }

  /// Attacks as often as it is to, and judges by the median: what a machine does to one of the times is nobody's doing.
  private static func beside(
    _ endpoint: Endpoint,
    _ attack: () async throws -> Void,
    after: (Int, Latency) async throws -> Void
  ) async throws {
    let bystander = try await Bystander(of: endpoint)
    _ = try await bystander.times(50)
    var latencies: [Latency] = []
    for round in 1...rounds {
      bystander.begin()
      let quiet = try await bystander.times().percentile(99)
      bystander.begin()
      try await $bystander.withValue(bystander) { try await attack() }
      let latency = Latency(quiet: quiet, attacked: try await bystander.verdict().percentile(99))
      #expect(bystander.closure == nil)
      #expect(bystander.strange == [])
      latencies.append(latency)
      try await after(round, latency)
    }
    let (quiet, attacked) = (median(latencies.map(\.quiet)), median(latencies.map(\.attacked)))
    #expect(
      attacked <= max(2 * quiet, floor),
      "p99 in microseconds: \(quiet) before, \(attacked) under attack"
    )
    bystander.stop()
  }

  private static func median(_ numbers: [Int]) -> Int { numbers.sorted()[(numbers.count - 1) / 2] }

  /// What follows is no attack any more: only what its traces are is looked at.
  static func isOver() async throws { _ = try await bystander?.verdict() }

  /// Does something again and again for some time; when that is over, the attack is.
  static func keepUp(
    for duration: Duration = .seconds(2),
    every pause: Duration = .milliseconds(20),
    _ body: () async throws -> Void
  ) async throws {
    let end = ContinuousClock.now + duration
    while ContinuousClock.now < end {
      try await body()
      try await Task.sleep(for: pause)
    }
    try await isOver()
  }

  /// Opens raw connections.
  static func connections(
    _ count: Int,
    to endpoint: Endpoint,
    reading: Bool = true
  ) async throws -> [RawConnection] {
    var all: [RawConnection] = []
    for _ in 0..<count { all.append(try await RawConnection(to: endpoint, reading: reading)) }
    return all
  }

  /// With this a connection becomes a WebSocket.
  static let handshake =
    "GET /v1/socket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

  /// A raw connection that has become a WebSocket.
  static func socket(to endpoint: Endpoint, reading: Bool = true) async throws -> RawConnection {
    let connection = try await RawConnection(to: endpoint, reading: reading)
    connection.send(handshake)
    if reading { _ = try await connection.text(with: "\r\n\r\n") }
    return connection
  }

  /// A masked frame, its mask all zeros.
  static func frame(_ first: UInt8, _ payload: [UInt8] = []) -> [UInt8] {
    var frame: [UInt8] = [first]
    switch payload.count {
    case ...125: frame.append(0x80 | UInt8(payload.count))
    case ...65_535: frame += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)]
    default: frame += [0x80 | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
    }
    return frame + [0, 0, 0, 0] + payload
  }
}

extension RawConnection {
  /// The code of the close frame at the end of what came.
  var closeFrame: UInt16? {
    let bytes = bytes
    guard
      let start = bytes.indices.dropLast(3).last(where: { at in
        bytes[at] == 0x88 && at + 2 + Int(bytes[at + 1]) == bytes.count
      })
    else { return nil }
    return UInt16(bytes[start + 2]) << 8 | UInt16(bytes[start + 3])
  }

  /// The same, once the server has closed.
  func closeCode(within limit: Duration = .seconds(20)) async throws -> UInt16? {
    try await eventually("the server's end of a WebSocket", within: limit) { isEnded ? true : nil }
    return closeFrame
  }
}
