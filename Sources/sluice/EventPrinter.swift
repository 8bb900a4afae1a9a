import Foundation
import NIOCore
import SluiceClient
import Wire

/// Prints what a subscription brings, line by line. What others have put into it commands no terminal.
struct EventPrinter: Sendable {
  /// Standard output is closed.
  struct NobodyReads: Error {}

  static let transports: [SubscriberTransport: TransportKind] = [
    .webSocket: .webSocket, .eventStream: .eventStream, .longPoll: .longPoll, .shortPoll: .shortPoll,
  ]

  let isJSON: Bool
  let isTerminal: Bool

  func print(_ event: SluiceEvent) throws(NobodyReads) {
    let line = isJSON ? object(event) : line(event)
    do {
      try FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
    } catch {
      throw NobodyReads()
    }
  }

  /// Says on standard error how the subscription is connected.
  func report(_ state: ConnectionState) {
    let text: String? =
      switch state {
      case .connected(let transport, let node):
        "connected\(node.map { " to \($0)" } ?? "") over \(Self.transports[transport]?.rawValue ?? transport.rawValue)"
      case .waiting(let wait, let reason):
        "not connected (\(reason)); trying again in \(wait.nanoseconds / 1_000_000) ms"
      case .idle, .connecting, .ended: nil
      }
    guard let text else { return }
    try? FileHandle.standardError.write(contentsOf: Data("sluice: \(text.withControlsEscaped)\n".utf8))
  }

  private func line(_ event: SluiceEvent) -> String {
    switch event {
    case .message(let message):
      let parts = [
        clock(message.time), message.channel.text, message.cursor?.description ?? "-", message.user,
        message.json,
      ]
      return parts.compactMap(\.self).joined(separator: "  ").withControlsEscaped
    case .gap(let channel, let gap):
      let text = """
        !!! GAP in \(channel): what lies after \(gap.from), up to and with \(gap.to), may be missing \
        (\(gap.reason.rawValue))
        """
      return isTerminal ? "\u{1b}[1;31m\(text)\u{1b}[0m" : text
    case .join(let channel, let member):
      return "\(clock(now))  \(channel)  + \(member.user ?? member.id)".withControlsEscaped
    case .leave(let channel, let member):
      return "\(clock(now))  \(channel)  - \(member.user ?? member.id)".withControlsEscaped
    }
  }

  /// As it came from the node, but for the control characters in its strings.
  private func object(_ event: SluiceEvent) -> String {
    let content: ServerEvent =
      switch event {
      case .message(let message):
        .message(
          channel: message.channel,
          cursor: message.cursor,
          data: ByteBuffer(string: message.json),
          user: message.user,
          time: message.time
        )
      case .gap(let channel, let gap): .gap(channel: channel, gap)
      case .join(let channel, let member): .join(channel: channel, member: member)
      case .leave(let channel, let member): .leave(channel: channel, member: member)
      }
    var text = ByteBuffer()
    content.write(into: &text)
    return String(buffer: text).withControlsEscaped
  }

  private var now: Int64 { WallClock.milliseconds() }

  /// The time of day here.
  private func clock(_ milliseconds: Int64) -> String {
    var seconds = time_t(milliseconds / 1_000)
    var parts = tm()
    localtime_r(&seconds, &parts)
    let numbers = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { $0 < 10 ? "0\($0)" : "\($0)" }
    return numbers.joined(separator: ":")
  }
}
