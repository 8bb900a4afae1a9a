import Admission
import Delivery
import NIOCore
import NIOEmbedded
import Telemetry
import Testing
import Wire

@testable import Transports

/// An event stream whose client is gone before it has begun, or found gone by what it begins with.
struct EventStreamConnectionTests {
  private let room = ChannelName("room:a")!
  private let other = ChannelName("room:b")!

  /// A socket whose other end has reset the connection, which is seen by the write, or flush, of this number.
  final class MortalSocket: ChannelOutboundHandler {
    enum Moment: CaseIterable {
      case write
      case flush
    }

    typealias OutboundIn = ByteBuffer

    private let moment: Moment
    private var left: Int

    init(_ moment: Moment, _ number: Int) {
      self.moment = moment
      self.left = number
    }

    var isDead: Bool { self.left == 0 }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
      if self.moment == .write { self.come(context) }
      guard !self.isDead else {
        promise?.fail(ChannelError.ioOnClosedChannel)
        return
      }
      context.write(data, promise: promise)
    }

    func flush(context: ChannelHandlerContext) {
      if self.moment == .flush { self.come(context) }
      if !self.isDead { context.flush() }
    }

    /// The handlers hear of the end at once, from within what they do.
    private func come(_ context: ChannelHandlerContext) {
      guard !self.isDead else { return }
      self.left -= 1
      if self.isDead { context.fireChannelInactive() }
    }
  }

  /// Everybody is Ada, a turn of the loop later.
  private struct Doorman: DecisionMaker {
    let decides: Set<Question.Kind> = [.connect]
    let atOnce = 1

    func decide(
      _ question: Question,
      on loop: any EventLoop,
      _ answer: @escaping @Sendable (Result<Decision, ClientError>) -> Void
    ) {
      loop.execute {
        var decision = Decision()
        decision.user = "ada"
        answer(.success(decision))
      }
    }
  }

  /// An address has one place, and so has a user where the doorman names one.
  private func stage(hasDoorman: Bool = true) throws -> EmbeddedWorker {
    let stage = try EmbeddedWorker {
      $0.ledger = ConnectionLedger(maximumOfAddress: 1)
      $0.isTrustedProxy = { _ in true }
      $0.connectionsPerUser = 1
      if hasDoorman { $0.decisions = Doorman() }
      $0.maximumConnectionAge = .hours(1)
    }
    for number in 1...3 {
      stage.publish("\(number)", to: self.room)
      stage.publish("\(number)", to: self.other)
    }
    return stage
  }

  /// The client's places are free, its subscriptions have ended, and nobody is present for it or looks after it.
  private func nothingIsLeft(_ what: Comment, on stage: EmbeddedWorker) throws {
    // Who had joined by then has the grace that anybody has.
    stage.advance(.seconds(10))
    #expect(stage.metrics.eventStreams.value == 0, what)
    #expect(stage.worker.sessions == 0 && stage.worker.departing == 0, what)
    #expect(stage.delivery.subscriptions.value == 0, what)
    #expect(stage.entry.loop.connectionCount == 0 && stage.entry.loop.wheel.count == 0, what)
    #expect(stage.members(of: self.room) == 0, what)
    // It is delivered to nobody.
    stage.publish("4", to: self.room)
    stage.publish("4", to: self.other)
    let next = try stage.client("GET /v1/stream?channels=room:a")
    stage.advance()
    let answer = try next.takeOutput()
    #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.contains(#""type":"welcome""#), what)
    #expect(stage.metrics.over.address.value == 0 && stage.metrics.over.user.value == 0, what)
    #expect(stage.metrics.eventStreams.value == 1 && stage.delivery.subscriptions.value == 1, what)
    next.channel.close(promise: nil)
    stage.advance(.seconds(10))
    #expect(stage.delivery.channels.value == 0, what)
  }

  @Test(
    arguments: MortalSocket.Moment.allCases,
    ["channels=room:a", "channels=room:a&since=start", "channels=room:a,room:b&since=start&presence=join"]
  )
  func whatItBeginsWithMayBeItsEnd(_ moment: MortalSocket.Moment, _ query: String) throws {
    var number = 0
    var hasBegun = false
    while !hasBegun, number < 20 {
      number += 1
      let stage = try stage()
      let socket = MortalSocket(moment, number)
      let client = try stage.client("GET /v1/stream?\(query)", behind: socket)
      stage.advance()
      hasBegun = !socket.isDead
      if hasBegun {
        #expect(stage.metrics.eventStreams.value == 1)
        #expect(try client.takeOutput().contains(#""type":"welcome""#))
      } else {
        try nothingIsLeft("\(moment) \(number)", on: stage)
      }
    }
    #expect(hasBegun)
    // The head, how long to wait and the welcome are three writes at the least, which leave together.
    #expect(number > (moment == .write ? 3 : 1))
  }

  /// It is let go while the backend is asked, or the log.
  @Test(arguments: [true, false])
  func whoIsGoneBeforeItHasNoStream(_ hasDoorman: Bool) throws {
    let stage = try stage(hasDoorman: hasDoorman)
    let client = try stage.client("GET /v1/stream?channels=room:a,room:b&since=start&presence=join")
    client.channel.close(promise: nil)
    stage.advance()
    try nothingIsLeft("gone before", on: stage)
  }

  /// A drain begins and ends while it is on its way in: who is gone by then is nobody to be sent away.
  @Test func aDrainThatEndsMeanwhileHasNobodyToTell() throws {
    let stage = try stage(hasDoorman: false)
    try stage.client("GET /v1/stream?channels=room:a", behind: MortalSocket(.write, 2))
    stage.worker.refuseNew(true)
    stage.worker.drainEnded()
    stage.advance()
    #expect(stage.metrics.goodbyes.value == 0)
    stage.worker.refuseNew(false)
    try nothingIsLeft("gone in a drain", on: stage)
  }

  /// Many who wait for their channels may begin at once while a drain is under way.
  @Test func whoComesInDuringADrainWaitsForItsPace() throws {
    let stage = try EmbeddedWorker()
    for _ in 0..<5 { try stage.client("GET /v1/stream?channels=room:a") }
    stage.worker.refuseNew(true)
    stage.advance(.seconds(4))
    #expect(stage.worker.untold == 5 && stage.metrics.goodbyes.value == 0)
    for told in 1...3 {
      #expect(stage.worker.sendAway(1) == 1)
      stage.advance()
      #expect(stage.metrics.goodbyes.value == told && stage.metrics.eventStreams.value == 5 - told)
    }
    // Nobody is forgotten who has come since the drain looked last.
    stage.worker.drainEnded()
    stage.advance()
    #expect(stage.metrics.goodbyes.value == 5 && stage.metrics.eventStreams.value == 0)
    #expect(stage.worker.sessions == 0)
  }

  /// Nobody would tell it any more.
  @Test(arguments: [true, false])
  func whoComesInAfterADrainIsSentAwayAtOnce(_ isClosed: Bool) throws {
    let stage = try EmbeddedWorker()
    let client = try stage.client("GET /v1/stream?channels=room:a")
    stage.worker.refuseNew(true)
    if isClosed { #expect(stage.worker.closeRemaining() == 0) } else { stage.worker.drainEnded() }
    stage.advance()
    #expect(try client.takeOutput().contains(#""type":"goaway""#))
    #expect(stage.metrics.goodbyes.value == 1 && stage.metrics.eventStreams.value == 0)
    #expect(stage.worker.sessions == 0)
  }

  @Test func whoComesInWhenADrainIsCalledOffStays() throws {
    let stage = try EmbeddedWorker()
    try stage.client("GET /v1/stream?channels=room:a")
    stage.worker.refuseNew(true)
    stage.advance()
    stage.worker.refuseNew(false)
    // The next drain ends, and is called off when one more has just come in.
    let last = try stage.client("GET /v1/stream?channels=room:b")
    stage.worker.refuseNew(true)
    #expect(stage.worker.sendAway(1) == 1)
    stage.worker.drainEnded()
    stage.worker.refuseNew(false)
    stage.advance(.seconds(4))
    #expect(stage.metrics.goodbyes.value == 1 && stage.metrics.eventStreams.value == 1)
    #expect(try !last.takeOutput().contains(#""type":"goaway""#))
    // And one after it has its own pace.
    try stage.client("GET /v1/stream?channels=room:c")
    stage.worker.refuseNew(true)
    stage.advance(.seconds(4))
    #expect(stage.worker.untold == 2 && stage.metrics.goodbyes.value == 1)
  }
}
