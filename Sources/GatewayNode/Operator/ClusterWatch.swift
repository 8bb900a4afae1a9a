internal import Brokering
internal import NIOCore
internal import NIOHTTP1
internal import Sessions
internal import Transports
internal import Wire

/// Shows the state of the cluster each second to everybody who watches it from one event loop: the registry is read
/// once for all. Confined to its loop.
final class ClusterWatch {
  private let status: NodeStatus
  private var watchers: [ObjectIdentifier: BodyStream] = [:]
  private var clock: RepeatedTask?
  private var isReading = false

  init(_ status: NodeStatus) {
    self.status = status
  }

  /// Answers with an event stream of `{"time","nodes":[…]}`; while the registry cannot be read it has this node
  /// alone, and `problem`.
  func add(_ request: HTTPRequest, _ responder: Responder) {
    let headers: HTTPHeaders = [
      "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no",
    ]
    let loop = responder.eventLoop
    guard let body = responder.beginStream(headers: headers) else { return }
    let key = ObjectIdentifier(body)
    watchers[key] = body
    body.onGone = { [weak self] in self?.watchers[key] = nil }
    body.write(ByteBuffer(string: "retry: 1000\n\n"))
    body.flush()
    if clock == nil {
      let watch = NIOLoopBound(self, eventLoop: loop)
      clock = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
        watch.value.look(on: loop)
      }
    }
    look(on: loop)
  }

  private func look(on loop: any EventLoop) {
    guard status.standing.state != .stopped else { return end() }
    guard !watchers.isEmpty else {
      clock?.cancel()
      clock = nil
      return
    }
    guard !isReading else { return }
    isReading = true
    let view = loop.makePromise(of: ByteBuffer.self)
    view.completeWithTask { [status] in await ClusterWatch.view(status) }
    view.futureResult.assumeIsolated().whenSuccess { [weak self] in self?.show($0) }
  }

  private static func view(_ status: NodeStatus) async -> ByteBuffer {
    let nodes = await ClusterNodes.view(status)
    var bytes = ByteBuffer(string: "data: ")
    bytes.openObject()
    bytes.writeMember("time", status.broker.clock.milliseconds())
    nodes.write(to: &bytes)
    bytes.closeObject()
    bytes.writeString("\n\n")
    return bytes
  }

  /// Who does not take one view waits for a later one.
  private func show(_ view: ByteBuffer) {
    isReading = false
    for body in watchers.values where body.isWritable {
      body.write(view)
      body.flush()
    }
  }

  /// The node stops.
  private func end() {
    for body in watchers.values { body.end() }
    watchers = [:]
    clock?.cancel()
    clock = nil
  }
}

@available(*, unavailable)
extension ClusterWatch: Sendable {}
