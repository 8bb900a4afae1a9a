internal import Admission
internal import Sessions
internal import Brokering
internal import NIOCore
internal import NIOHTTP1
internal import Transports
internal import Wire

extension OperatorDesk {
  /// While the registry cannot be read, this node alone, and `problem`.
  func listNodes(_ request: HTTPRequest, _ responder: Responder) {
    let status = status
    responder.respondLater {
      await ClusterNodes.view(status)
    } _: { nodes, responder in
      responder.respondJSON(nodes.json)
    }
  }

  /// This node answers of itself without asking the cluster.
  func showNode(_ request: HTTPRequest, _ responder: Responder) {
    if status.isCalled(request.parameters["node"] ?? "") { return responder.respondJSON(status.report.json) }
    withNode(request, responder) { report, responder in responder.respondJSON(report.json) }
  }

  /// `{"over_seconds": 30}`; without it the settings' window of the node.
  func startDrain(_ request: HTTPRequest, _ responder: Responder) {
    let seconds: Int64?
    do {
      seconds = try OperatorDesk.seconds(in: request.body)
    } catch {
      return responder.respond(error)
    }
    conduct(request, responder, .drain(overSeconds: seconds))
  }

  func endDrain(_ request: HTTPRequest, _ responder: Responder) {
    conduct(request, responder, .undrain)
  }

  /// Has the node do it, this one or another; answers the node's object, or says why it was not done.
  private func conduct(_ request: HTTPRequest, _ responder: Responder, _ act: NodeCommand.Act) {
    let name = request.parameters["node"] ?? ""
    let who = (try? door.admit(request, for: .act).get()) ?? "an operator"
    let asking = "\(who), \(request.peer?.ipAddress ?? "an unknown address")"
    guard !status.isCalled(name) else {
      let command = NodeCommand(act, by: asking)
      conductor.carryOut(command).hop(to: responder.eventLoop).assumeIsolated().whenComplete { result in
        switch result {
        case .success(let reply): responder.respond(reply)
        case .failure(let error): responder.respond(ClientError(.internal, "\(error)"))
        }
      }
      return
    }
    let command = NodeCommand(act, by: "\(asking) at \(status.node)")
    let status = status
    responder.respondLater {
      await OperatorDesk.send(command, to: name, status)
    } _: { reply, responder in
      responder.respond(reply)
    }
  }

  /// Sends a command to another node and waits for what it says.
  private static func send(
    _ command: NodeCommand,
    to name: String,
    _ status: NodeStatus
  ) async -> Result<ByteBuffer, ClientError> {
    let nodes: ClusterNodes
    do throws(BrokerError) {
      nodes = try await ClusterNodes.read(status)
    } catch {
      return .failure(
        ClientError(
          .unavailable,
          """
          the other nodes cannot be reached: \(error.reason); ask \(name) itself, at its own operator listener, or \
          drain it by SIGTERM
          """
        )
      )
    }
    guard let report = nodes[name] else {
      return .failure(ClientError(.notFound, "there is no node \(name)"))
    }
    guard report.isAlive, report.state != .stopped else {
      let seconds = report.silence.nanoseconds / 1_000_000_000
      return .failure(
        ClientError(.unavailable, "\(name) is \(report.shownState): it was last heard \(seconds) s ago")
      )
    }
    guard report.incarnation == name || nodes.living(name).count == 1 else {
      let all = nodes.living(name).map(\.incarnation).joined(separator: ", ")
      return .failure(
        ClientError(.badRequest, "several nodes live under the name \(name): name one of \(all)")
      )
    }
    do throws(BrokerError) {
      return NodeReply.read(try await status.broker.command(command.json, to: report.incarnation))
    } catch {
      return .failure(ClientError(.unavailable, "\(name) was not reached: \(error.reason)"))
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

  private static func seconds(in body: ByteBuffer) throws(ClientError) -> Int64? {
    guard body.readableBytes > 0 else { return nil }
    let object: JSONObject
    do {
      object = try JSONObject(body)
    } catch {
      throw ClientError(.badJSON, "the body is no JSON object: \(error)")
    }
    // A misspelt window is not to be a drain over another one.
    if let name = object.name(besides: "over_seconds") {
      throw ClientError(.badRequest, "\"\(name.prefix(40))\" is not known: the only member is over_seconds")
    }
    guard let field = object["over_seconds"] else { return nil }
    guard let seconds = field.integer, NodeCommand.windows.contains(seconds) else {
      throw ClientError(.badRequest, "over_seconds is a whole number from 0 to 3600")
    }
    return seconds
  }
}

extension Responder {
  /// A node's object, or why there is none.
  fileprivate func respond(_ reply: Result<ByteBuffer, ClientError>) {
    switch reply {
    case .success(let node): respondJSON(node)
    case .failure(let error): respond(error)
    }
  }
}
