import Logging
import NIOCore

/// Says what happens to a connection: each reason once, not with every attempt.
struct RedisConnectionLog {
  private var logger: Logger
  private var said: RedisError?

  init(_ logger: Logger, address: RedisAddress) {
    self.logger = logger
    self.logger[metadataKey: "redis"] = "\(address)"
  }

  mutating func ready() {
    said = nil
    logger.info("connected to Redis")
  }

  mutating func lost(_ error: RedisError, retryIn pause: TimeAmount) {
    let level: Logger.Level = said == error ? .debug : .warning
    said = error
    logger.log(
      level: level,
      "no connection to Redis",
      metadata: ["reason": "\(error)", "retry_in_ms": "\(pause.nanoseconds / 1_000_000)"]
    )
  }
}
