import NIOCore
import SluiceClient

/// A recipe for a load test.
public enum LoadScenario: String, Sendable, CaseIterable {
  case idle, fanout, rooms, chat, presence, storm, resume
  case slowReaders = "slow-readers"
  case rolling

  /// In a line.
  public var summary: String {
    switch self {
    case .idle: "many connections, heartbeats and nothing else; none may drop"
    case .fanout: "one channel, many subscribers, a steady rate"
    case .rooms: "many small channels, each with a few subscribers"
    case .chat: "rooms from crowded to empty, messages by WebSocket"
    case .presence: "members come and go; all who watch must agree on who is there"
    case .storm: "everyone is cut at once and comes back"
    case .resume: "everyone goes away, misses messages, and returns for them"
    case .slowReaders: "some read too slowly; the others must not notice"
    case .rolling: "nodes are drained or replaced under load; nobody may notice"
    }
  }

  /// What counts as failed, beside a message lost, repeated, out of order, or missed without a word.
  public var promise: String {
    switch self {
    case .idle: "no connection ends"
    case .fanout, .rooms, .chat: "every publish is answered"
    case .presence: "within 15 s of the last change all watchers name the same members, those who are there"
    case .storm: "all are back and have caught up; nothing falls out of the log"
    case .resume: "all return, and have caught up; nothing falls out of the log"
    case .slowReaders:
      "the others' p99 stays within 5 times what it was before, or 100 ms more; the slow catch up afterwards"
    case .rolling:
      """
      no session is closed by force and no member is heard to leave; WebSockets are never without a connection, \
      99 of 100 of the others less than 500 ms; no node gets more than three times the planned pace within 100 ms
      """
    }
  }

  /// Its defaults.
  public var plan: LoadPlan {
    var plan = LoadPlan(self)
    switch self {
    case .idle:
      plan.transports = TransportShares([(.webSocket, 60), (.eventStream, 30), (.longPoll, 10)])
      plan.channels = 100
      plan.duration = .seconds(60)
      plan.warmUp = .zero
    case .fanout:
      plan.rate = 50
    case .rooms:
      plan.channels = 1_000
      plan.subscribers = .fixed(5)
      plan.rate = 500
    case .chat:
      plan.transports = TransportShares([(.webSocket, 80), (.eventStream, 15), (.longPoll, 5)])
      plan.connections = 500
      plan.channels = 50
      plan.subscribers = .zipf(1.1)
      plan.rate = 100
      plan.size = 200
      plan.publishOver = .webSocket
      plan.publishers = 20
      plan.churn = 0.01
    case .presence:
      plan.connections = 500
      plan.channels = 10
      plan.watchers = 3
      plan.churn = 0.02
      plan.warmUp = .zero
    case .storm:
      plan.transports = TransportShares([(.webSocket, 60), (.eventStream, 30), (.longPoll, 10)])
      plan.channels = 50
      plan.rate = 100
    case .resume:
      plan.transports = TransportShares([(.webSocket, 60), (.eventStream, 30), (.longPoll, 10)])
      plan.channels = 50
      plan.rate = 200
    case .slowReaders:
      plan.transports = TransportShares([(.webSocket, 70), (.eventStream, 30)])
      plan.connections = 500
      plan.channels = 10
      plan.rate = 200
      plan.size = 512
      plan.slow = SlowShare(share: 0.1, bytesPerSecond: 2_000)
    case .rolling:
      plan.transports = TransportShares([
        (.webSocket, 40), (.eventStream, 20), (.nativeEventSource, 20), (.longPoll, 20),
      ])
      plan.connections = 900
      plan.channels = 50
      plan.rate = 100
      plan.members = 24
      plan.watchers = 3
      plan.duration = .minutes(30)
    }
    return plan
  }
}
