import NIOCore
import NIOEmbedded
import Telemetry
import Testing

@testable import Transports

/// Of what is not read there is only so much, and who reads nothing is given up first.
struct UnreadAnswersTests {
  private final class Client: UnreadAnswer {
    private unowned let unread: UnreadAnswers
    var unsentBytes = 0
    var isGivenUp = false

    init(_ unread: UnreadAnswers) {
      self.unread = unread
    }

    func isWritten(_ bytes: Int) {
      self.unsentBytes += bytes
      self.unread.writabilityChanged(false, of: self)
    }

    func giveUp() {
      self.isGivenUp = true
      self.unread.left(self)
    }
  }

  private let loop = EmbeddedEventLoop()
  private let givenUp = Counter()
  private let answer = 1 << 20

  private func clients(_ count: Int, limit: Int) -> (UnreadAnswers, [Client]) {
    let unread = UnreadAnswers(eventLoop: loop, limit: limit, givenUp: givenUp)
    return (unread, (0..<count).map { _ in Client(unread) })
  }

  @Test func whoHasReadNothingForTheLongestIsGivenUp() {
    let (unread, clients) = clients(10, limit: answer * 8)
    for client in clients {
      client.isWritten(answer)
      loop.run()
      #expect(unread.bytes <= answer * 8)
    }
    #expect(clients.map(\.isGivenUp) == (0..<10).map { $0 < 2 })
    #expect(givenUp.value == 2)
  }

  @Test func whoReadsStays() {
    let (unread, clients) = clients(10, limit: answer * 8)
    for client in clients.prefix(8) { client.isWritten(answer) }
    // The oldest reads, slowly.
    clients[0].unsentBytes -= 1_000
    clients[8].isWritten(answer)
    loop.run()
    #expect(clients.map(\.isGivenUp) == (0..<10).map { $0 == 1 || $0 == 2 })
    #expect(unread.bytes == answer * 7 - 1_000)
  }

  @Test func whereAllReadTooSlowlyTheBoundHoldsAllTheSame() {
    let (unread, clients) = clients(10, limit: answer * 8)
    for client in clients.prefix(9) { client.isWritten(answer) }
    for client in clients.prefix(9) { client.unsentBytes -= 1 }
    loop.run()
    #expect(unread.bytes <= answer * 8)
    #expect(clients.map(\.isGivenUp) == (0..<10).map { $0 == 0 })
  }

  @Test func whatIsReadOrClosedOrSmallDoesNotCount() {
    let (unread, clients) = clients(4, limit: answer)
    clients[0].isWritten(UnreadAnswers.smallest - 1)
    #expect(unread.bytes == 0)
    clients[1].isWritten(answer)
    // Written to again: it counts once.
    clients[1].isWritten(10)
    #expect(unread.bytes == answer + 10)
    clients[1].unsentBytes = 0
    unread.writabilityChanged(true, of: clients[1])
    clients[2].isWritten(answer)
    unread.left(clients[2])
    unread.left(clients[3])
    #expect(unread.bytes == 0)
    loop.run()
    #expect(givenUp.value == 0)
  }
}
