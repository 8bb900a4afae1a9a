import NIOCore
import NIOHTTP1
import SluiceClient
import Wire

/// WebSockets that only publish.
final class SocketLane: PublishLane {
  /// One publish on its way.
  fileprivate final class Item {
    let channel: ChannelName
    let data: ByteBuffer
    let key: String
    let deadline: NIODeadline
    let done: (Result<Cursor?, PublishFailure>) -> Void

    init(
      _ channel: ChannelName,
      _ data: ByteBuffer,
      _ key: String,
      _ deadline: NIODeadline,
      _ done: @escaping (Result<Cursor?, PublishFailure>) -> Void
    ) {
      self.channel = channel
      self.data = data
      self.key = key
      self.deadline = deadline
      self.done = done
    }
  }

  /// One connection; when it was sent away it only waits for its answers.
  fileprivate final class Line {
    let endpoint: Endpoint
    var socket: WebSocketConnection?
    var pending: [Int64: Item] = [:]
    var lastID: Int64 = 0
    var isUsable = false
    /// Another was opened in its place.
    var isReplaced = false

    init(_ endpoint: Endpoint) { self.endpoint = endpoint }
  }

  private let loop: any EventLoop
  private let headers: HTTPHeaders
  private var lines: [Line] = []
  private var next = 0
  private var waiting = CircularBuffer<Item>()
  private var paused = 0
  private var underWay = 0
  private var lastKey: UInt64 = .random(in: .min ... .max)
  private var backoff = Backoff(ceiling: .seconds(2))
  private var isClosed = false

  init(to endpoints: [Endpoint], connections: Int, headers: HTTPHeaders, on loop: any EventLoop) {
    self.loop = loop
    self.headers = headers
    for number in 0..<connections { open(endpoints[number % endpoints.count]) }
  }

  var unsettled: Int { waiting.count + paused + underWay }

  func publish(
    _ channel: ChannelName,
    _ data: ByteBuffer,
    deadline: NIODeadline,
    _ done: @escaping (Result<Cursor?, PublishFailure>) -> Void
  ) {
    lastKey &+= 1
    waiting.append(Item(channel, data, String(lastKey, radix: 36), deadline, done))
    sendWaiting()
  }

  func close() {
    isClosed = true
    for line in lines { line.socket?.close() }
    lines = []
    while let item = waiting.popFirst() { item.done(.failure(PublishFailure(reason: "closed"))) }
  }

  private func open(_ endpoint: Endpoint) {
    guard !isClosed else { return }
    let line = Line(endpoint)
    lines.append(line)
    line.socket = WebSocketConnection(to: endpoint, headers: headers, on: loop) { event in
      switch event {
      case .opened:
        self.backoff.succeeded()
        line.isUsable = true
        self.sendWaiting()
      case .text(let text): self.take(text, on: line)
      case .binary, .ping, .pong: break
      case .closed: self.ended(line)
      }
    }
  }

  private func sendWaiting() {
    while !waiting.isEmpty, let line = usableLine() {
      let item = waiting.removeFirst()
      line.lastID += 1
      line.pending[line.lastID] = item
      underWay += 1
      line.socket?.send(
        ClientRequest(id: line.lastID, .publish(channel: item.channel, data: item.data, key: item.key))
      )
    }
  }

  private func usableLine() -> Line? {
    for _ in lines.indices {
      next = (next + 1) % lines.count
      if lines[next].isUsable { return lines[next] }
    }
    return nil
  }

  private func take(_ text: ByteBuffer, on line: Line) {
    switch try? ServerEvent(parsing: text) {
    case .published(let id?, _, let cursor):
      guard let item = line.pending.removeValue(forKey: id) else { return }
      underWay -= 1
      item.done(.success(cursor))
    case .error(let id?, let error):
      guard let item = line.pending.removeValue(forKey: id) else { return }
      underWay -= 1
      if let wait = error.retryAfterMS {
        again(item, after: .milliseconds(Int64(wait)), error.message)
      } else {
        item.done(.failure(PublishFailure(reason: "\(error.code.rawValue): \(error.message)")))
      }
    case .goaway(_, let wait):
      loop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(wait))) {
        guard line.isUsable else { return }
        line.isUsable = false
        line.isReplaced = true
        self.open(line.endpoint)
        self.letGoIfDone(line)
      }
    default: break
    }
    letGoIfDone(line)
  }

  private func letGoIfDone(_ line: Line) {
    if line.isReplaced, line.pending.isEmpty { line.socket?.close() }
  }

  private func ended(_ line: Line) {
    guard let index = lines.firstIndex(where: { $0 === line }) else { return }
    lines.remove(at: index)
    next = 0
    let wait = backoff.next()
    underWay -= line.pending.count
    for (_, item) in line.pending.sorted(by: { $0.key < $1.key }) { again(item, after: wait, "not answered") }
    line.pending = [:]
    if !line.isReplaced { loop.assumeIsolated().scheduleTask(in: wait) { self.open(line.endpoint) } }
  }

  private func again(_ item: Item, after wait: TimeAmount, _ reason: String) {
    guard !isClosed, .now() + wait < item.deadline else {
      return item.done(.failure(PublishFailure(reason: reason)))
    }
    paused += 1
    loop.assumeIsolated().scheduleTask(in: wait) {
      self.paused -= 1
      self.waiting.append(item)
      self.sendWaiting()
    }
  }
}

@available(*, unavailable)
extension SocketLane: Sendable {}

@available(*, unavailable)
extension SocketLane.Item: Sendable {}

@available(*, unavailable)
extension SocketLane.Line: Sendable {}
