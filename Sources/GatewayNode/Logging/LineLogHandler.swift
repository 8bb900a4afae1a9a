internal import Logging
internal import NIOCore

/// Writes each log event as one line.
struct LineLogHandler: LogHandler {
  let label: String
  let format: LogFormat
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?
  /// Takes whole lines, line break included, from any thread.
  let output: @Sendable (ByteBuffer) -> Void

  init(
    label: String,
    format: LogFormat,
    logLevel: Logger.Level,
    output: @escaping @Sendable (ByteBuffer) -> Void
  ) {
    self.label = label
    self.format = format
    self.logLevel = logLevel
    self.output = output
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var fields = metadata
    if let metadataProvider { fields.merge(metadataProvider.get()) { $1 } }
    if let more = event.metadata { fields.merge(more) { $1 } }
    if let error = event.error { fields["error"] = "\(error)" }
    let line = LogLine(
      time: LogTime.now(),
      level: event.level,
      label: label,
      message: event.message.description,
      metadata: fields.sorted { $0.key < $1.key }
    )
    var bytes = ByteBuffer()
    switch format {
    case .human: line.writeHuman(to: &bytes)
    case .json: line.writeJSON(to: &bytes)
    }
    bytes.writeInteger(UInt8(ascii: "\n"))
    output(bytes)
  }
}
