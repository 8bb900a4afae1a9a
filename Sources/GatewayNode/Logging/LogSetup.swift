public import Logging

/// Where log lines go: to standard error, one line each.
public enum LogSetup {
  /// Makes every logger of the process write in that format. Once, before the first logger is made.
  public static func bootstrap(_ format: LogFormat, level: Logger.Level) {
    LoggingSystem.bootstrap { label in
      LineLogHandler(label: label, format: format, logLevel: level, output: StandardError.write)
    }
  }
}
