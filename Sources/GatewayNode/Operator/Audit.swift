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
  static func note(_ act: Act, _ status: HTTPResponseStatus, _ log: Logger) {
    log.log(
      level: act.name == "publish" && status.code < 400 ? .info : .notice,
      "an act of an operator",
      metadata: [
        LogKey.by: "\(act.who)", LogKey.address: "\(act.address)", LogKey.act: "\(act.name)",
        LogKey.target: "\(act.target)", LogKey.result: "\(status.code)",
      ]
    )
  }
}
