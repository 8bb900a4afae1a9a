import NIOCore
import Testing

@testable import Admission

@Suite struct ConnectionLedgerTests {
  private func address(_ text: String) throws -> ClientAddress { try #require(ClientAddress(text)) }

  @Test func anIPv6CustomerIsHisPrefix() throws {
    #expect(try address("2001:db8:1:2::1") == address("2001:db8:1:2:ffff::9"))
    #expect(try address("2001:db8:1:2::1") != address("2001:db8:1:3::1"))
    #expect(try address("192.0.2.1") != address("192.0.2.2"))
    #expect(try address("192.0.2.1") == address("::ffff:192.0.2.1"))
    #expect(try address("::1") != address("127.0.0.1"))
    #expect(ClientAddress("nonsense") == nil)
    #expect(ClientAddress("192.0.2.1, 10.0.0.1") == nil)
  }

  @Test func aNodeIsFullAndHasRoomAgain() throws {
    let ledger = ConnectionLedger(maximum: 3, maximumOfAddress: 2)
    let (one, other) = (try address("192.0.2.1"), try address("192.0.2.2"))
    #expect(ledger.enter(one) == .enter)
    #expect(ledger.enter(one) == .enter)
    #expect(ledger.enter(one) == .tooManyOfAddress)
    #expect(ledger.count == 2)
    #expect(ledger.enter(other) == .enter)
    #expect(ledger.enter(other) == .full)
    ledger.leave(one)
    #expect(ledger.enter(other) == .enter)
    for address in [one, other, other] { ledger.leave(address) }
    #expect(ledger.count == 0)
    #expect(ledger.enter(other) == .enter)
  }

  @Test func aProxysConnectionsAreCountedForTheNodeAlone() throws {
    let ledger = ConnectionLedger(maximumOfAddress: 1)
    for _ in 0..<10 { #expect(ledger.enter(nil) == .enter) }
    let client = try address("192.0.2.1")
    #expect(ledger.enterAddress(client))
    #expect(!ledger.enterAddress(client))
    #expect(ledger.count == 10)
    ledger.leaveAddress(client)
    #expect(ledger.enterAddress(client))
  }

  @Test func aClosedNodeTakesNobody() throws {
    let ledger = ConnectionLedger()
    ledger.close(true)
    #expect(ledger.enter(nil) == .closed)
    ledger.close(false)
    #expect(ledger.enter(nil) == .enter)
    #expect(ledger.count == 1)
  }

  @Test func eachAddressHasItsRate() throws {
    let rates = AddressRates(TokenBucket.Rate(perSecond: 10, burst: 5))
    let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    let (one, other) = (try address("192.0.2.1"), try address("2001:db8::1"))
    for _ in 0..<5 { #expect(rates.take(from: one, now: now) == nil) }
    #expect(rates.take(from: one, now: now) == 100)
    #expect(rates.take(from: other, now: now) == nil)
    #expect(rates.take(3, from: other, now: now) == nil)
    #expect(rates.take(3, from: other, now: now) == 200)
    #expect(rates.count == 2)
    #expect(rates.take(from: other, now: now + .seconds(20)) == nil)
    #expect(rates.count == 1)
  }

  @Test func whatIsKnownOnlyAfterwardsIsADebt() throws {
    let rates = AddressRates(TokenBucket.Rate(perSecond: 10, burst: 5), atMost: 100)
    let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    let (one, other) = (try address("192.0.2.1"), try address("192.0.2.2"))
    #expect(rates.wait(for: one, now: now) == nil)
    #expect(rates.count == 0, "to ask is not to be remembered")
    rates.charge(5, to: one, now: now)
    #expect(rates.wait(for: one, now: now) == nil)
    rates.charge(3, to: one, now: now)
    #expect(rates.wait(for: one, now: now) == 300)
    #expect(rates.take(from: one, now: now) == 400)
    #expect(rates.wait(for: other, now: now) == nil)
    // Nor does it end with many others.
    for number in 0..<60 {
      rates.charge(to: try address("2001:db8:0:\(String(number, radix: 16))::1"), now: now)
    }
    #expect(rates.wait(for: one, now: now) == 300)
    #expect(rates.wait(for: one, now: now + .milliseconds(300)) == nil)
  }

  /// Who has many addresses makes nobody's bucket full by them that is in use.
  @Test func manyAddressesForgetWhoHasAskedForNothing() throws {
    let rates = AddressRates(TokenBucket.Rate(perSecond: 1, burst: 5), atMost: 100)
    let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    let eager = try address("192.0.2.1")
    for _ in 0..<5 { #expect(rates.take(from: eager, now: now) == nil) }
    for number in 0..<10_000 {
      #expect(try rates.take(from: address("2001:db8:0:\(String(number, radix: 16))::1"), now: now) == nil)
      #expect(rates.count <= 101)
      if number % 40 == 0 { #expect(rates.take(from: eager, now: now) != nil, "\(number)") }
    }
  }

  @Test func pressureRisesAtItsMarksAndEndsBelowAnother() {
    var pressure = MemoryPressure()
    let course: [(Double, MemoryPressure.Level)] = [
      (0.5, .none), (0.89, .none), (0.9, .refusing), (0.87, .refusing), (1.2, .shedding), (0.95, .refusing),
      (0.86, .refusing), (0.84, .none), (0.88, .none),
    ]
    for (part, level) in course { #expect(pressure.measured(part) == level, "\(part)") }
    #expect(MemoryPressure.quota(of: 0) == 0)
    #expect(MemoryPressure.quota(of: 3) == 1)
    #expect(MemoryPressure.quota(of: 10_000) == 200)
  }
}
