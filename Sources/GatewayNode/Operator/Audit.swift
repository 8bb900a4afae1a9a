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

  /// Publishes are many, and their line is there for who wants it.
  /// - Parameter status: nil when who asked has gone before the answer; the act is carried out all the same.
  static func note(_ act: Act, _ status: HTTPResponseStatus?, _ log: Logger) {
    let isPlain = status.map { $0.code < 400 } ?? false
    log.log(
      level: act.name == "publish" && isPlain ? .info : .notice,
      "an act of an operator",
      metadata: [
        LogKey.by: "\(act.who)", LogKey.address: "\(act.address)", LogKey.act: "\(act.name)",
        LogKey.target: "\(act.target)", LogKey.result: "\(status.map { "\($0.code)" } ?? "gone")",
      ]
    )
  }
}
