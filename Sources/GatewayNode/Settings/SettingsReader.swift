internal import Logging
internal import NIOCore

/// Reads each setting from the first layer that has it, and keeps what is wrong in any.
struct SettingsReader {
  /// The first one wins.
  let layers: [SettingsLayer]
  private(set) var mistakes: [SettingMistake] = []
  /// Where each setting that is not the default was found.
  private(set) var places: [SettingKey: String] = [:]

  init(_ layers: [SettingsLayer]) {
    self.layers = layers
  }

  /// Every layer's value is checked, also where another hides it.
  private mutating func read<Value>(
    _ key: SettingKey,
    into setting: inout Value,
    _ parse: (String) -> Value?
  ) {
    for layer in layers {
      guard let found = layer.value(of: key) else { continue }
      guard let value = parse(found.text) else {
        mistakes.append(
          SettingMistake(
            found.place,
            value: key == .redis ? SettingKind.withoutPassword(found.text) : found.text,
            "expected \(key.kind.expectation)"
          )
        )
        continue
      }
      if places[key] == nil {
        places[key] = found.place
        setting = value
      }
    }
  }

  mutating func read(_ key: SettingKey, into setting: inout Int) {
    let kind = key.kind
    read(key, into: &setting) { text in
      switch kind {
      case .count(let range): Int(text).flatMap { range.contains($0) ? $0 : nil }
      case .size(let range): SizeText.read(text).flatMap { range.contains($0) ? $0 : nil }
      default: nil
      }
    }
  }

  mutating func read(_ key: SettingKey, into setting: inout TimeAmount) {
    guard case .duration(let range) = key.kind else { return }
    read(key, into: &setting) { DurationText.read($0).flatMap { range.contains($0) ? $0 : nil } }
  }

  mutating func read(_ key: SettingKey, into setting: inout ListenAddress) {
    read(key, into: &setting) { ListenAddress($0) }
  }

  mutating func read(_ key: SettingKey, into setting: inout String) {
    read(key, into: &setting) { HostName.isNodeName($0) ? $0 : nil }
  }

  mutating func read(_ key: SettingKey, into setting: inout String?) {
    let kind = key.kind
    var text = setting ?? ""
    read(key, into: &text) { text in
      if case .redisURL = kind, !RedisURL.isValid(text) { return nil }
      return text
    }
    if places[key] != nil { setting = text }
  }

  mutating func read(_ key: SettingKey, into setting: inout [AddressRange]) {
    read(key, into: &setting) { text in
      let parts = text.split(separator: ",").map { $0.trimmingPrefix(while: \.isWhitespace) }
      let ranges = parts.compactMap { part in
        AddressRange(String(part.reversed().drop(while: \.isWhitespace).reversed()))
      }
      return ranges.count == parts.count && !ranges.isEmpty ? ranges : nil
    }
  }

  mutating func read<Choice: RawRepresentable<String>>(_ key: SettingKey, into setting: inout Choice) {
    read(key, into: &setting) { Choice(rawValue: $0) }
  }

  mutating func read<Choice: RawRepresentable<String>>(_ key: SettingKey, into setting: inout Choice?) {
    read(key, into: &setting) { text in Choice(rawValue: text).map { .some($0) } }
  }

  mutating func found(_ mistake: SettingMistake) {
    mistakes.append(mistake)
  }

  /// Where a setting stands, for a mistake about it.
  func place(of key: SettingKey) -> String {
    places[key] ?? "\(key.flag) (default)"
  }
}
