import Delivery
import NIOCore
import Wire

/// A client that polls one channel, again and again from the position of its last answer.
final class Poller {
  let channel: ChannelName
  var judge: Judge
  private let shard: DeliveryShard
  private let mode: DeliveryMode
  private var since: Since?
  private var subscriber: Subscriber?
  /// Events that were answered and not judged yet, and the position of that answer.
  private var pending: [JSONObject] = []
  private var answered: Cursor?

  init(_ channel: ChannelName, since: Since?, mode: DeliveryMode, shard: DeliveryShard) {
    self.channel = channel
    self.since = since
    self.mode = mode
    self.shard = shard
    judge = Judge(mode: mode)
    if case .cursor(let cursor) = since, mode == .log { judge.position = cursor }
  }

  deinit {
    drop()
  }

  /// Polls, where no poll is under way.
  func ask() {
    guard subscriber == nil else { return }
    let subscriber = Subscriber(.poll(limit: 300), isStarted: false)
    self.subscriber = subscriber
    shard.subscribe(subscriber, to: channel, since: since, hearsPresence: false) { [unowned self] in
      switch $0 {
      case .success(let answer):
        if judge.position == nil { judge.position = answer.cursor }
        shard.start(subscriber)
      case .failure:
        shard.remove(subscriber)
        self.subscriber = nil
      }
    }
  }

  /// Takes the answer, where there is one. A long poll has none while nothing has come.
  func takeAnswer(isLong: Bool) throws {
    guard let subscriber, isLong ? subscriber.hasCollected : subscriber.isSettled else { return }
    let position = shard.positions(of: subscriber)[channel]!
    let events = String(buffer: subscriber.takeCollected())
    drop()
    for event in try JSONObject(ByteBuffer(string: #"{"events":[\#(events)]}"#))["events"]!.elements! {
      pending.append(event.object!)
    }
    since = .cursor(position)
    answered = position
  }

  /// The client goes away in the middle of a poll. Without an answer it has no position of its own.
  func abandon() {
    guard subscriber != nil else { return }
    drop()
    if case .cursor = since { return }
    judge.position = nil
  }

  private func drop() {
    subscriber.map(shard.remove)
    subscriber = nil
  }

  /// Gives the judge what was answered.
  func judge(by log: [Cursor: String]) {
    for event in pending { judge.take(event, log: log) }
    pending = []
    guard let answered else { return }
    if mode == .log, judge.position != answered {
      judge.complain("answered \(answered) after events up to \(judge.position.map { "\($0)" } ?? "nothing")")
    }
    judge.position = answered
    self.answered = nil
  }
}
