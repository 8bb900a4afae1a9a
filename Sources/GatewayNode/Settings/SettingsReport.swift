private import NIOCore
private import Wire

/// The settings in force and where each comes from, for a person.
public struct SettingsReport: CustomStringConvertible {
  public let description: String

  public init(_ loaded: LoadedSettings) {
    let rows = SettingKey.allCases.map { key in
      (key.rawValue, loaded.settings.text(of: key), loaded.places[key] ?? "default")
    }
    let names = (rows.map(\.0.count).max() ?? 0) + 2
    let values = (rows.map(\.1.count).max() ?? 0) + 2
    var lines = rows.map { name, value, place in
      "\(name.padded(to: names))\(value.padded(to: values))\(place)"
    }
    let namespaces = loaded.settings.namespaces
    lines += ["", "namespaces", "  \(SettingsReport.line("default", namespaces.fallback))"]
    lines += namespaces.named.sorted { $0.key < $1.key }.map { "  \(SettingsReport.line($0.key, $0.value))" }
    let concerns = loaded.settings.concerns
    if !concerns.isEmpty { lines += [""] + concerns.map { "warning: \($0)" } }
    description = lines.joined(separator: "\n")
  }

  private static func line(_ name: String, _ options: NamespaceOptions) -> String {
    """
    \(name): history \(options.history), history_ttl \(DurationText.write(.seconds(Int64(options.historyTTL)))), \
    presence \(options.presence), presence_events \(options.presenceEvents.rawValue), \
    publish \(options.publish.rawValue), subscribe \(options.subscribe.rawValue), \
    delivery \(options.delivery.rawValue), max_message_bytes \(SizeText.write(options.maxMessageBytes))
    """
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
