import Admission
import Brokering
import Delivery
import NIOCore
import NIOHTTP1
import Telemetry
import Wire

/// One poll, from its subscriptions to its answer. It holds no message longer than the answer takes to gather.
final class Poll: HeldConnection, TimerWheelRider {
  /// How long the log may take to be read for a short poll.
  private static let patience = TimeAmount.seconds(5)
  /// About how many bytes of events one answer has at the most.
  static let answerLimit = 256 << 10

  let worker: Worker
  let question: PollQuestion
  let subscriber = Subscriber(.poll(limit: Poll.answerLimit), isStarted: false)
  var place = -1
  var isTold = false
  var wheelPlace = TimerWheel.Place()
  /// Its client waits no longer than it said, and its token is good no longer.
  var isByTheWorldsTime: Bool { true }
  private let responder: Responder
  /// By the event loop's time.
  private var deadline = NIODeadline.distantFuture
  let heldPlace: HeldPlace?
  private var isHeld = false
  private var isGathering = false
  private var isOver = false

  init(_ question: PollQuestion, worker: Worker, responder: Responder, heldPlace: HeldPlace?) {
    self.heldPlace = heldPlace
    self.question = question
    self.worker = worker
    self.responder = responder
  }

  /// Every channel has its position: what is there is collected, and when that is nothing, a long poll is held.
  func begin() {
    deadline = worker.entry.eventLoop.now + (question.wait == .zero ? Poll.patience : question.wait)
    // It is answered in time; the next one needs another token.
    if let expires = question.caller.expires {
      let left = TimeAmount.milliseconds(max(0, expires - WallClock.milliseconds()))
      deadline = min(deadline, worker.entry.eventLoop.now + left)
    }
    worker.entry.wheel.arm(self, at: worker.entry.wheel.time + (deadline - worker.entry.eventLoop.now))
    if question.isLong {
      isHeld = true
      worker.hold(self)
      worker.context.metrics.polls.add(1)
    }
    if question.presence == .join, let session = question.session {
      for channel in question.channels { worker.presence.pollBegan(channel, session, by: question.caller) }
    }
    subscriber.onCollected = { [weak self] in self?.collected() }
    worker.shard.start(subscriber)
  }

  private func collected() {
    guard !isOver else { return }
    if !question.isLong {
      if subscriber.isSettled { answer() }
    } else if subscriber.hasCollected {
      if !subscriber.isWritable || worker.context.pollGather == .zero {
        answer()
      } else if !isGathering {
        isGathering = true
        worker.polls.add(self)
      }
    }
  }

  func timeCame(_ now: NIODeadline) -> NIODeadline? {
    guard !isOver else { return nil }
    let left = deadline - worker.entry.eventLoop.now
    if left > .zero { return now + left }
    if question.isLong || subscriber.hasCollected {
      answer()
    } else {
      end(stayingFor: worker.context.presenceGrace)
      responder.respond(ClientError(.unavailable, "the log could not be read in time"))
    }
    return nil
  }

  /// Answers with what there is, if anything.
  func answer() {
    guard !isOver else { return }
    let interval = worker.pollInterval(for: subscriber)
    let positions = worker.shard.positions(of: subscriber).description
    let events = subscriber.takeCollected()
    subscriber.lingerSeconds = 2 * interval
    let silence = question.isLong ? TimeAmount.zero : .seconds(Int64(2 * interval))
    end(stayingFor: worker.context.presenceGrace + silence)
    let metrics = worker.context.metrics
    question.isLong ? metrics.longPollAnswers.add() : metrics.shortPollAnswers.add()
    if responder.respond(to: question, positions: positions, events: events, interval: interval) {
      metrics.unchangedPolls.add()
    }
  }

  /// The client has gone, or cannot be served.
  func abandoned() {
    end(stayingFor: worker.context.presenceGrace)
  }

  /// Nothing is written to it before its answer.
  var isWritable: Bool { true }

  func sayGoodbye(reason: String) {
    answer()
  }

  func closeNow() {
    answer()
  }

  private func end(stayingFor delay: TimeAmount) {
    guard !isOver else { return }
    isOver = true
    worker.entry.wheel.disarm(self)
    if isHeld {
      worker.release(self)
      worker.context.metrics.polls.add(-1)
    } else {
      heldPlace?.giveUp()
    }
    let hasBegun = deadline != .distantFuture
    if hasBegun, question.presence == .join, let session = question.session {
      for channel in question.channels { worker.presence.pollEnded(channel, session, after: delay) }
    }
    worker.shard.remove(subscriber)
  }
}

@available(*, unavailable) extension Poll: Sendable {}
