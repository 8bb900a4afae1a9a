internal import Logging
internal import NIOHTTP1
internal import Telemetry

/// One log line for each act of an operator or a backend: who did what, and what came of it.
enum Audit {
  struct Act {
    var who: String
    var address: String
    var name: String
    var target: String
  }

  /// At whatever level the node logs, save for publishes that were made: they are many, and `info`.
  /// - Parameter status: nil when who asked has gone before the answer; the act is carried out all the same.
  static func note(_ act: Act, _ status: HTTPResponseStatus?, _ log: Logger) {
    let isPlain = status.map { $0.code < 400 } ?? false
    let isMessage = act.name == "publish" && isPlain
    var log = log
    if !isMessage { log.logLevel = min(log.logLevel, .notice) }
    log.log(
      level: isMessage ? .info : .notice,
      "an act of an operator",
      metadata: [
        LogKey.by: "\(act.who)", LogKey.address: "\(act.address)", LogKey.act: "\(act.name)",
        LogKey.target: "\(act.target)", LogKey.result: "\(status.map { "\($0.code)" } ?? "gone")",
      ]
    )
  }
}
