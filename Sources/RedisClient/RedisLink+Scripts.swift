import NIOCore

/// The evaluations of one script on a link. Keeps them in order when the server has forgotten the script.
final class RedisScriptLane {
  /// `EVALSHA`s on their way.
  var asked = 0
  /// Those that came while the server had forgotten the script: sent when everything before them was.
  var held: [RedisScriptCall]?
}

struct RedisScriptCall {
  var script: RedisScript
  var keys: [String]
  var arguments: [RedisArgument]
  var done: RedisLink.Completion

  /// Bytes that it holds, about.
  var bytes: Int {
    arguments.reduce(0) { sum, argument in
      switch argument {
      case .string(let text): sum + text.utf8.count
      case .bytes(let bytes): sum + bytes.readableBytes
      case .integer: sum + 8
      }
    }
  }

  func command(_ name: String, _ body: String) -> [RedisArgument] {
    var command: [RedisArgument] = [.string(name), .string(body), .integer(keys.count)]
    command.reserveCapacity(3 + keys.count + arguments.count)
    command.append(contentsOf: keys.map { .string($0) })
    command.append(contentsOf: arguments)
    return command
  }
}

extension RedisLink {
  /// Runs a script, on the loop: by its digest, and with its source when the server does not know it.
  /// Evaluations of one script run in the order in which they were asked for, also then.
  public func evaluate(
    _ script: RedisScript,
    keys: [String],
    arguments: [RedisArgument],
    _ done: @escaping Completion
  ) {
    let call = RedisScriptCall(script: script, keys: keys, arguments: arguments, done: done)
    let lane = lane(of: script)
    if lane.held != nil, lane.asked > 0 {
      guard canHold(call) else { return refuse(done) }
      lane.held?.append(call)
    } else {
      ask(call, lane)
    }
  }

  private func lane(of script: RedisScript) -> RedisScriptLane {
    if let lane = lanes[script] { return lane }
    let lane = RedisScriptLane()
    lanes[script] = lane
    return lane
  }

  private func ask(_ call: RedisScriptCall, _ lane: RedisScriptLane) {
    lane.asked += 1
    send(call.command("EVALSHA", call.script.sha1)) { [weak self] reply in
      lane.asked -= 1
      if let self, reply.isUnknownScript {
        recover(call, lane)
      } else {
        call.done(reply)
      }
      self?.release(lane)
    }
  }

  /// The first one takes the source along; those behind it find the script known again.
  private func recover(_ call: RedisScriptCall, _ lane: RedisScriptLane) {
    guard lane.held != nil else {
      lane.held = []
      return send(call.command("EVAL", call.script.source), call.done)
    }
    send(call.command("EVALSHA", call.script.sha1)) { [weak self] reply in
      if let self, reply.isUnknownScript {
        send(call.command("EVAL", call.script.source), call.done)
      } else {
        call.done(reply)
      }
    }
  }

  private func release(_ lane: RedisScriptLane) {
    guard lane.asked == 0, let held = lane.held else { return }
    lane.held = nil
    letGo(held)
    for call in held { ask(call, lane) }
  }
}

extension Result<RedisValue, RedisError> {
  fileprivate var isUnknownScript: Bool {
    if case .failure(.server(let error)) = self { error.prefix == "NOSCRIPT" } else { false }
  }
}
