internal import NIOCore
internal import Wire

/// What can be set of a namespace, under `namespaces.NAME` in the file; `default` is what the others start from.
enum NamespaceKey: String, CaseIterable {
  case history
  case historyTTL = "history_ttl"
  case presence
  case presenceEvents = "presence_events"
  case publish
  case subscribe
  case delivery
  case maxMessageBytes = "max_message_bytes"
  case pollMaxAge = "poll_max_age"

  var kind: SettingKind {
    switch self {
    case .history: .count(0...1_000_000)
    case .historyTTL: .duration(.seconds(1) ... .hours(24 * 365))
    case .presence: .truth
    case .presenceEvents: .choice(PresenceEvents.allCases.map(\.rawValue))
    case .publish, .subscribe: .choice(Permission.allCases.map(\.rawValue))
    case .delivery: .choice(DeliveryMode.allCases.map(\.rawValue))
    case .maxMessageBytes: .size(1...8_388_608)
    case .pollMaxAge: .duration(.zero ... .hours(1))
    }
  }
}

extension SettingsReader {
  static let namespacesKey = "namespaces"

  /// Reads `namespaces` from the file.
  mutating func read(_ file: SettingsFile, into namespaces: inout Namespaces) {
    var options: [(name: String, key: NamespaceKey, spelled: String)] = []
    for full in file.keys where full.split(separator: ".").first == Substring(SettingsReader.namespacesKey) {
      let inner = full.dropFirst(SettingsReader.namespacesKey.count + 1)
      guard let dot = inner.lastIndex(of: ".") else {
        if !inner.isEmpty || file.layer.text(at: [full]) != nil {
          found(
            SettingMistake(
              "\(file.path): \(full)",
              "expected options by namespace, such as chat: {history: 100}"
            )
          )
        }
        continue
      }
      let name = String(inner[..<dot])
      let spelled = String(inner[inner.index(after: dot)...])
      guard let key = NamespaceKey(rawValue: spelled.replacing("-", with: "_")) else {
        let known = NamespaceKey.allCases.map(\.rawValue)
        found(
          SettingMistake(
            "\(file.path): \(full)",
            "unknown\(Spelling.hint(for: spelled, in: known)); a namespace has \(known.joined(separator: ", "))"
          )
        )
        continue
      }
      guard ChannelName(name) != nil, !name.contains(":") else {
        found(SettingMistake("\(file.path): \(full)", "expected a namespace of A-Z a-z 0-9 _ . -"))
        continue
      }
      options.append((name, key, spelled))
    }
    apply(options, of: file, to: &namespaces)
  }

  private mutating func apply(
    _ options: [(name: String, key: NamespaceKey, spelled: String)],
    of file: SettingsFile,
    to namespaces: inout Namespaces
  ) {
    for (name, key, spelled) in options where name == "default" {
      apply(key, spelled, of: name, in: file, to: &namespaces.fallback)
    }
    for (name, key, spelled) in options where name != "default" {
      apply(key, spelled, of: name, in: file, to: &namespaces.named[name, default: namespaces.fallback])
    }
  }

  private mutating func apply(
    _ key: NamespaceKey,
    _ spelled: String,
    of name: String,
    in file: SettingsFile,
    to options: inout NamespaceOptions
  ) {
    let path = [SettingsReader.namespacesKey, name, spelled]
    guard let text = file.layer.text(at: path) else { return }
    if !options.set(key, text) {
      found(
        SettingMistake(
          "\(file.path): \(path.joined(separator: "."))",
          value: text,
          "expected \(key.kind.expectation)"
        )
      )
    }
  }
}

extension NamespaceOptions {
  /// False when the text is no value of that option.
  fileprivate mutating func set(_ key: NamespaceKey, _ text: String) -> Bool {
    switch (key, key.kind) {
    case (.history, .count(let range)):
      return set(\.history, Int(text).flatMap { range.contains($0) ? $0 : nil })
    case (.historyTTL, .duration(let range)):
      return set(\.historyTTL, SettingsReader.seconds(text, in: range))
    case (.pollMaxAge, .duration(let range)):
      return set(\.pollMaxAge, SettingsReader.seconds(text, in: range))
    case (.presence, _): return set(\.presence, SettingsReader.truth(text))
    case (.presenceEvents, _): return set(\.presenceEvents, PresenceEvents(rawValue: text))
    case (.publish, _): return set(\.publish, Permission(rawValue: text))
    case (.subscribe, _): return set(\.subscribe, Permission(rawValue: text))
    case (.delivery, _): return set(\.delivery, DeliveryMode(rawValue: text))
    case (.maxMessageBytes, .size(let range)):
      return set(\.maxMessageBytes, SizeText.read(text).flatMap { range.contains($0) ? $0 : nil })
    default: return false
    }
  }

  private mutating func set<Value>(_ path: WritableKeyPath<Self, Value>, _ value: Value?) -> Bool {
    guard let value else { return false }
    self[keyPath: path] = value
    return true
  }
}

extension SettingsReader {
  /// Nil for what is no whole number of seconds.
  fileprivate static func seconds(_ text: String, in range: ClosedRange<TimeAmount>) -> Int? {
    guard let amount = DurationText.read(text), range.contains(amount),
      amount.nanoseconds % 1_000_000_000 == 0
    else { return nil }
    return Int(amount.nanoseconds / 1_000_000_000)
  }

  fileprivate static func truth(_ text: String) -> Bool? {
    switch text.lowercased() {
    case "true", "yes", "on": true
    case "false", "no", "off": false
    default: nil
    }
  }
}
