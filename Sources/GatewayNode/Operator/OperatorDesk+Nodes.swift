internal import Sessions
internal import Brokering
internal import NIOCore
internal import NIOHTTP1
internal import Transports
internal import Wire

extension OperatorDesk {
  func listNodes(_ request: HTTPRequest, _ responder: Responder) {
    withNodes(responder) { nodes, responder in responder.respondJSON(nodes.json) }
  }

  func showNode(_ request: HTTPRequest, _ responder: Responder) {
    withNode(request, responder) { report, responder in responder.respondJSON(report.json) }
  }

  /// `{"over_seconds": 30}`; without it the settings' window.
  func startDrain(_ request: HTTPRequest, _ responder: Responder) {
    let window: TimeAmount
    do {
      window = try OperatorDesk.window(in: request.body) ?? conductor.settings.drainWindow
    } catch {
      return responder.respond(error)
    }
    conduct(request, responder) { $0.drain(over: window) }
  }

  func endDrain(_ request: HTTPRequest, _ responder: Responder) {
    conduct(request, responder) { $0.undrain() }
  }

  /// Does it to this node, or says why not; answers the node's object.
  private func conduct(
    _ request: HTTPRequest,
    _ responder: Responder,
    _ work: @escaping (Conductor) -> EventLoopFuture<NodeStatus.Standing>
  ) {
    guard request.parameters["node"] == status.node else {
      return withNode(request, responder) { report, responder in
        var error = ClientError(
          .unavailable,
          "\(report.node) is another node than the one asked, and only a node itself starts or ends its drain"
        )
        error.retryAfterMS = nil
        responder.respond(Problem(error, status: .notImplemented))
      }
    }
    let status = status
    work(conductor).hop(to: responder.eventLoop).assumeIsolated().whenComplete { result in
      switch result {
      case .success(let standing) where standing.state == .starting:
        responder.respond(ClientError(.unavailable, "the node is starting"))
      case .success: responder.respondJSON(status.report.json)
      case .failure(let error): responder.respond(ClientError(.internal, "\(error)"))
      }
    }
  }

  private func withNode(
    _ request: HTTPRequest,
    _ responder: Responder,
    _ answer: @escaping (NodeReport, Responder) -> Void
  ) {
    let name = request.parameters["node"] ?? ""
    withNodes(responder) { nodes, responder in
      guard let report = nodes[name] else {
        return responder.respond(ClientError(.notFound, "there is no node \(name)"))
      }
      answer(report, responder)
    }
  }

  private func withNodes(_ responder: Responder, _ answer: @escaping (ClusterNodes, Responder) -> Void) {
    let status = status
    responder.respondLater { () async -> Result<ClusterNodes, BrokerError> in
      do throws(BrokerError) {
        return .success(try await ClusterNodes.read(status))
      } catch {
        return .failure(error)
      }
    } _: { result, responder in
      switch result {
      case .success(let nodes): answer(nodes, responder)
      case .failure(let error):
        responder.respond(ClientError(.unavailable, "the nodes cannot be listed: \(error.reason)"))
      }
    }
  }

  private static func window(in body: ByteBuffer) throws(ClientError) -> TimeAmount? {
    guard body.readableBytes > 0 else { return nil }
    let object: JSONObject
    do {
      object = try JSONObject(body)
    } catch {
      throw ClientError(.badJSON, "the body is no JSON object: \(error)")
    }
    guard let field = object["over_seconds"] else { return nil }
    guard let seconds = field.integer, (0...3_600).contains(seconds) else {
      throw ClientError(.badRequest, "over_seconds is a whole number from 0 to 3600")
    }
    return .seconds(seconds)
  }
}
