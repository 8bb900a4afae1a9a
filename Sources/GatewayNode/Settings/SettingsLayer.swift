internal import Configuration

/// One place that settings come from.
struct SettingsLayer {
  enum Source: Equatable {
    case flags
    case environment
    case file(path: String)
  }

  /// The key of a value within its layer, as configuration providers have it.
  typealias Path = [String]

  let source: Source
  private let snapshot: any ConfigSnapshot

  init(_ source: Source, _ snapshot: any ConfigSnapshot) {
    self.source = source
    self.snapshot = snapshot
  }

  /// The value and the name under which it stands there. An empty value, or null, is none. A list's elements have
  /// commas between.
  func value(of key: SettingKey) -> (place: String, text: String)? {
    for path in paths(of: key) {
      if let text = text(at: path) { return (place(of: path, key), text) }
    }
    return nil
  }

  func text(at path: Path) -> String? {
    let key = AbsoluteConfigKey(path)
    if let result = try? snapshot.value(forKey: key, type: .string) {
      guard case .string(let text)? = result.value?.content else { return nil }
      return text.isEmpty || source.isFile && (text == "null" || text == "~") ? nil : text
    }
    guard case .stringArray(let texts)? = try? snapshot.value(forKey: key, type: .stringArray).value?.content
    else { return nil }
    return texts.joined(separator: ",")
  }

  /// A file may write `drain_window` as well.
  private func paths(of key: SettingKey) -> [Path] {
    switch source {
    case .flags: [[key.rawValue]]
    case .environment: [["sluice", key.rawValue]]
    case .file:
      key.rawValue.contains("-")
        ? [[key.rawValue], [key.rawValue.replacing("-", with: "_")]] : [[key.rawValue]]
    }
  }

  private func place(of path: Path, _ key: SettingKey) -> String {
    switch source {
    case .flags: key.flag
    case .environment: key.variable
    case .file(let name): "\(name): \(path.joined(separator: "."))"
    }
  }
}

extension SettingsLayer.Source {
  var isFile: Bool {
    if case .file = self { true } else { false }
  }
}
