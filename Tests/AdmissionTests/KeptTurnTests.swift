import NIOCore
import Testing

@testable import Admission

/// What is promised to those who were told to come back.
@Suite struct KeptTurnTests {
  /// Clients that come one after another, and again when they are told to.
  private struct Surplus {
    struct Client {
      let user: String?
      let first: Int
      var refusals = 0
      var enteredAt: Int?
    }

    var clients: [Client] = []

    /// Comes in milliseconds, twice as many as there is room for.
    init(_ gate: AcceptGate, rate: Int, seconds: Int, isKnown: Bool = true, comesBack: Bool = true) {
      let start = NIODeadline.uptimeNanoseconds(9_000_000_000)
      clients = (0..<2 * rate * seconds).map { number in
        Client(user: isKnown ? "user \(number)" : nil, first: number * 500 / rate)
      }
      var coming = Dictionary(grouping: clients.indices, by: { clients[$0].first })
      var millisecond = 0
      while !coming.isEmpty, millisecond < 600_000 {
        for index in coming.removeValue(forKey: millisecond) ?? [] {
          let client = AcceptGate.Client(user: clients[index].user)
          switch gate.knock(by: client, now: start + .milliseconds(Int64(millisecond))) {
          case .enter: clients[index].enteredAt = millisecond
          case .comeBack(let wait):
            clients[index].refusals += 1
            guard comesBack else { break }
            coming[millisecond + max(1, wait + Int.random(in: 0...100)), default: []].append(index)
          }
        }
        millisecond += 1
      }
    }
  }

  /// Newcomers are never fewer than there is room for, and yet those whom it had no room for get in.
  /// What a small burst cannot hold for them until they come, another has taken.
  @Test(arguments: [500, 100, 10])
  func whoComesBackWhenToldIsLetIn(_ burst: Int) {
    let surplus = Surplus(AcceptGate(rate: 100, burst: burst), rate: 100, seconds: 30)
    let clients = surplus.clients
    #expect(clients.allSatisfy { $0.enteredAt != nil })
    #expect(clients.allSatisfy { $0.refusals <= 10 }, "\(clients.map(\.refusals).max() ?? 0)")
    #expect(clients.count { $0.refusals > 1 } < clients.count / 10)
    // The last of a queue that is as long as they have come, and a second or two.
    #expect(clients.allSatisfy { ($0.enteredAt ?? .max) <= 65_000 })
  }

  /// They are served as one crowd, as fast as others.
  @Test func thoseWhoCannotBeToldApartComeInToo() {
    let surplus = Surplus(AcceptGate(rate: 100, burst: 100), rate: 100, seconds: 30, isKnown: false)
    #expect(surplus.clients.allSatisfy { ($0.enteredAt ?? .max) <= 65_000 })
  }

  @Test(arguments: [500, 100, 10, 1])
  func whoNeverComesBackKeepsNobodyOut(_ burst: Int) {
    let (rate, seconds) = (100, 30)
    let gate = AcceptGate(rate: Double(rate), burst: burst)
    let surplus = Surplus(gate, rate: rate, seconds: seconds, comesBack: false)
    let entered = surplus.clients.count { $0.enteredAt != nil }
    #expect(entered >= rate * seconds * 99 / 100, "\(entered)")
  }

  /// Of hashes that share no place, as those of two users do but for one pair in thousands.
  private static let (nobody, ada, bob, eve) = (0, 1, 2, 3)

  @Test func aTurnIsKeptForAWhile() {
    var queue = AcceptQueue(period: 100_000_000, burst: 5)
    func knock(_ client: Int, atMS now: Int64) -> AcceptGate.Answer {
      queue.knock(by: client, now: now * 1_000_000, chance: { 0 })
    }
    for _ in 0..<5 { #expect(knock(Self.nobody, atMS: 9_000) == .enter) }
    #expect(knock(Self.ada, atMS: 9_000) == .comeBack(afterMS: 100))
    // There is room for one, which is for another: so there is for the next one after that.
    #expect(knock(Self.bob, atMS: 9_150) == .comeBack(afterMS: 50))
    #expect(knock(Self.ada, atMS: 9_160) == .enter)
    // It was one turn.
    #expect(knock(Self.ada, atMS: 9_200) != .enter)
    #expect(knock(Self.bob, atMS: 9_210) == .enter)
  }

  @Test func aTurnLapses() {
    var queue = AcceptQueue(period: 2_000_000_000, burst: 2)
    func knock(_ client: Int, atMS now: Int64) -> AcceptGate.Answer {
      queue.knock(by: client, now: now * 1_000_000, chance: { 0 })
    }
    for _ in 0..<2 { #expect(knock(Self.nobody, atMS: 9_000) == .enter) }
    #expect(knock(Self.ada, atMS: 9_000) == .comeBack(afterMS: 2_000))
    guard case .comeBack = knock(Self.eve, atMS: 11_500) else {
      Issue.record("a turn was given to another")
      return
    }
    #expect(knock(Self.bob, atMS: 29_000) == .enter)
  }
}
