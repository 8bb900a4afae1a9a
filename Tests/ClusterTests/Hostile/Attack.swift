import Foundation
import LoadTesting
import NIOCore
import SluiceClient
import Testing

/// Something hostile that is done to a node, which must go on serving others and be afterwards what it was before.
enum Attack {
  /// The worst latency that is not held against a node, in microseconds: a debug build that shares its cores with the
  /// attackers and the tests says no more. A release build is judged more strictly: SLUICE_ATTACK_FLOOR_US.
  static let floor =
    ProcessInfo.processInfo.environment["SLUICE_ATTACK_FLOOR_US"].flatMap { Int($0) } ?? 250_000

  /// Runs a node, measures a bystander's latency before and during the attack, and the node's memory before and after.
  /// - Parameter memory: bytes that the node may have more afterwards.
  static func on(
    _ options: [String] = [],
    memory: Int = 24 << 20,
    _ name: String = #function,
    _ attack: (LoneNode) async throws -> Void
  ) async throws {
    try await LoneNode.run(options) { node in
      let bystander = try await Bystander(of: node.endpoint)
      _ = try await bystander.times(50)
      bystander.begin()
      let quiet = try await bystander.times()
      let before = try node.memory()
      bystander.begin()
      try await attack(node)
      let attacked = try await bystander.times(100)
      let highest = try node.memory()
      #expect(bystander.closure == nil)
      #expect(bystander.strange == [])
      let (was, became) = (quiet.percentile(99), attacked.percentile(99))
      #expect(became <= max(2 * was, floor), "p99 in microseconds: \(was) before, \(became) under attack")
      try await eventually("the memory of before: \(before), \(highest) under attack", within: .seconds(40)) {
        try node.memory() <= before + memory
      }
      print(
        "attack \(name): p99 \(was) us quiet, \(became) us attacked; memory \(before >> 10) KiB, "
          + "\(highest >> 10), \(try node.memory() >> 10) after"
      )
      bystander.stop()
    }
  }

  /// Does something again and again for some time.
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

  /// A raw connection that has become a WebSocket.
  static func socket(to endpoint: Endpoint, reading: Bool = true) async throws -> RawConnection {
    let connection = try await RawConnection(to: endpoint, reading: reading)
    connection.send(
      "GET /v1/socket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
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
  /// The code of the close frame at the end of what came, once the server has closed.
  func closeCode(within limit: Duration = .seconds(20)) async throws -> UInt16? {
    try await eventually("the server's end of a WebSocket", within: limit) { isEnded ? true : nil }
    let bytes = bytes
    guard
      let start = bytes.indices.dropLast(3).last(where: { at in
        bytes[at] == 0x88 && at + 2 + Int(bytes[at + 1]) == bytes.count
      })
    else { return nil }
    return UInt16(bytes[start + 2]) << 8 | UInt16(bytes[start + 3])
  }
}
