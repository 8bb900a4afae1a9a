import Brokering
import NIOCore
import NIOPosix
import Testing
import Wire

/// A port and all that its feed brought, usable from a test's task.
final class PortProbe: Sendable {
  final class Recorder: FeedReceiver {
    var items: [(ChannelName, FeedItem)] = []
    var losses = 0
    var restorations = 0
    var presenceLosses = 0
    var waiters: [(condition: (Recorder) -> Bool, promise: EventLoopPromise<Void>)] = []

    func feedArrived(_ batch: [FeedDelivery]) {
      for delivery in batch { items += delivery.items.map { (delivery.channel, $0) } }
      check()
    }
    func feedLost() {
      losses += 1
      check()
    }
    func feedRestored(presenceLost: Bool) {
      restorations += 1
      if presenceLost { presenceLosses += 1 }
      check()
    }
    func check() {
      waiters.removeAll { waiter in
        guard waiter.condition(self) else { return false }
        waiter.promise.succeed()
        return true
      }
    }
  }

  struct Room {
    var recorder: Recorder
    var port: any BrokerPort
  }

  let loop: any EventLoop
  private let room: NIOLoopBound<Room>

  private init(loop: any EventLoop, room: NIOLoopBound<Room>) {
    self.loop = loop
    self.room = room
  }

  static func make(_ broker: any Broker, on loop: any EventLoop) async throws -> PortProbe {
    try await loop.submit {
      let recorder = Recorder()
      let room = Room(recorder: recorder, port: broker.makePort(on: loop, receiver: recorder))
      return PortProbe(loop: loop, room: NIOLoopBound(room, eventLoop: loop))
    }.get()
  }

  /// Runs one call of the port on its loop and waits for the answer.
  func ask<Answer: Sendable>(
    _ call: @escaping @Sendable (any BrokerPort, @escaping (Result<Answer, BrokerError>) -> Void) -> Void
  ) async throws -> Answer {
    let promise = loop.makePromise(of: Answer.self)
    loop.execute { [room] in
      call(room.value.port) { promise.completeWith($0.mapError { $0 as any Error }) }
    }
    return try await promise.futureResult.get()
  }

  func publish(
    _ channel: ChannelName,
    _ data: String,
    user: String? = nil,
    key: String? = nil
  ) async throws -> Receipt {
    try await ask { port, done in
      let data = ByteBuffer(string: data)
      port.publish(Publication(channel: channel, data: data, user: user, key: key), done)
    }
  }

  /// All at once, in one turn of the loop.
  func publish(all texts: [String], to channel: ChannelName) async throws -> [Receipt] {
    let promise = loop.makePromise(of: [Receipt].self)
    loop.execute { [loop, room] in
      let answers = texts.map { text in
        let answer = loop.makePromise(of: Receipt.self)
        let publication = Publication(channel: channel, data: ByteBuffer(string: text))
        room.value.port.publish(publication) { answer.completeWith($0.mapError { $0 as any Error }) }
        return answer.futureResult
      }
      EventLoopFuture.whenAllSucceed(answers, on: loop).cascade(to: promise)
    }
    return try await promise.futureResult.get()
  }

  func attach(_ channel: ChannelName) async throws -> LogPosition? {
    try await ask { port, done in port.attach(channel, done) }
  }

  func attach(all channels: [ChannelName]) async throws {
    try await loop.flatSubmit { [loop, room] in
      let answers = channels.map { channel in
        let answer = loop.makePromise(of: Void.self)
        room.value.port.attach(channel) {
          answer.completeWith($0.map { _ in () }.mapError { $0 as any Error })
        }
        return answer.futureResult
      }
      return EventLoopFuture.andAllSucceed(answers, on: loop)
    }.get()
  }

  func verify(_ channel: ChannelName, _ mark: MessageMark?) async throws -> LogPosition {
    try await ask { port, done in
      port.verify([(channel, mark)]) { done($0.map { $0[0] }) }
    }
  }

  func heard<T: Sendable>(_ read: @escaping @Sendable (Recorder) -> T) async throws -> T {
    try await loop.submit { [room] in read(room.value.recorder) }.get()
  }

  func detach(_ channel: ChannelName) async throws {
    try await loop.submit { [room] in room.value.port.detach(channel) }.get()
  }

  func read(_ channel: ChannelName, _ range: HistoryRange, limit: Int = 1_000) async throws -> LogPage {
    try await ask { port, done in port.read(channel, range, limit: limit, done) }
  }

  func members(_ channel: ChannelName, limit: Int = 100, after: String? = nil) async throws -> PresencePage {
    try await ask { port, done in port.members(of: channel, limit: limit, after: after, done) }
  }

  func join(_ channel: ChannelName, _ member: Member, holder: UInt64) async throws {
    let _: Bool = try await ask { port, done in
      port.join(channel, member, holder: HolderID(serial: holder)) { done($0.map { true }) }
    }
  }

  func leave(_ channel: ChannelName, _ id: String, holder: UInt64) async throws {
    let _: Bool = try await ask { port, done in
      port.leave(channel, memberID: id, holder: HolderID(serial: holder)) { done($0.map { true }) }
    }
  }

  /// Waits until the feed has brought what `condition` asks for; throws after half a minute, and says what there was.
  func wait(
    until condition: @escaping @Sendable (Recorder) -> Bool,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let promise = loop.makePromise(of: Void.self)
    loop.execute { [room] in
      room.value.recorder.waiters.append((condition, promise))
      room.value.recorder.check()
    }
    let limit = loop.scheduleTask(in: .seconds(30)) { [room] in
      let recorder = room.value.recorder
      let told = recorder.items.suffix(20).map { "\($0.1)" }
      promise.fail(
        Late(description: "line \(sourceLocation.line): \(recorder.losses) losses, items \(told)")
      )
    }
    try await promise.futureResult.get()
    limit.cancel()
  }

  /// What the feed brought of one channel, as text.
  func items(_ channel: ChannelName) async throws -> [String] {
    try await loop.submit { [room] in
      room.value.recorder.items.filter { $0.0 == channel }.map { item in
        switch item.1 {
        case .message(let message): "\(message.cursor.offset):\(String(buffer: message.data))"
        case .ephemeral(let data, _, _): "~\(String(buffer: data))"
        case .join(let member): "+\(member.id)"
        case .leave(let member): "-\(member.id)"
        }
      }
    }.get()
  }

  struct Late: Error, CustomStringConvertible {
    let description: String
  }
}
