internal import Admission
internal import Logging
internal import NIOCore
internal import RedisClient

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

  /// Every layer's value is checked, also where another hides it. `parse` throws what is expected instead.
  private mutating func read<Value>(
    _ key: SettingKey,
    into setting: inout Value,
    _ parse: (String) throws -> Value
  ) {
    for layer in layers {
      guard let found = layer.value(of: key) else { continue }
      do {
        let value = try parse(found.text)
        if places[key] == nil {
          places[key] = found.place
          setting = value
        }
      } catch {
        mistakes.append(
          SettingMistake(
            found.place,
            value: key.isURL ? SettingKind.withoutPassword(found.text) : found.text,
            "\(error)"
          )
        )
      }
    }
  }

  /// Where the kind of the setting says all that can be wrong.
  private mutating func take<Value>(
    _ key: SettingKey,
    into setting: inout Value,
    _ parse: (String) -> Value?
  ) {
    read(key, into: &setting) { text in
      guard let value = parse(text) else { throw Unexpected(description: "expected \(key.kind.expectation)") }
      return value
    }
  }

  private struct Unexpected: Error, CustomStringConvertible {
    let description: String
  }

  mutating func read(_ key: SettingKey, into setting: inout Int) {
    let kind = key.kind
    take(key, into: &setting) { text in
      switch kind {
      case .count(let range): Int(text).flatMap { range.contains($0) ? $0 : nil }
      case .size(let range): SizeText.read(text).flatMap { range.contains($0) ? $0 : nil }
      default: nil
      }
    }
  }

  mutating func read(_ key: SettingKey, into setting: inout Int?) {
    let kind = key.kind
    take(key, into: &setting) { text in
      switch kind {
      case .count(let range): Int(text).flatMap { range.contains($0) ? .some($0) : nil }
      case .size(let range): SizeText.read(text).flatMap { range.contains($0) ? .some($0) : nil }
      default: nil
      }
    }
  }

  mutating func read(_ key: SettingKey, into setting: inout TimeAmount) {
    guard case .duration(let range) = key.kind else { return }
    take(key, into: &setting) { DurationText.read($0).flatMap { range.contains($0) ? $0 : nil } }
  }

  mutating func read(_ key: SettingKey, into setting: inout ListenAddress) {
    take(key, into: &setting) { ListenAddress($0) }
  }

  mutating func read(_ key: SettingKey, into setting: inout String) {
    take(key, into: &setting) { HostName.isNodeName($0) ? $0 : nil }
  }

  mutating func read(_ key: SettingKey, into setting: inout String?) {
    read(key, into: &setting) { text in text }
  }

  mutating func read(_ key: SettingKey, into setting: inout RedisSettings?) {
    read(key, into: &setting) { text in try RedisSettings(url: text) }
  }

  mutating func read(_ key: SettingKey, into setting: inout [String]) {
    take(key, into: &setting) { text in
      let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(SettingsReader.trimmed)
      return parts.contains("") ? nil : parts
    }
  }

  mutating func read(_ key: SettingKey, into setting: inout OriginPolicy) {
    take(key, into: &setting) { OriginPolicy(list: $0) }
  }

  mutating func read(_ key: SettingKey, into setting: inout [AddressRange]) {
    take(key, into: &setting) { text in
      let parts = text.split(separator: ",")
      let ranges = parts.compactMap { AddressRange(SettingsReader.trimmed($0)) }
      return ranges.count == parts.count && !ranges.isEmpty ? ranges : nil
    }
  }

  mutating func read<Choice: RawRepresentable<String>>(_ key: SettingKey, into setting: inout Choice) {
    take(key, into: &setting) { Choice(rawValue: $0) }
  }

  mutating func read<Choice: RawRepresentable<String>>(_ key: SettingKey, into setting: inout Choice?) {
    take(key, into: &setting) { text in Choice(rawValue: text).map { .some($0) } }
  }

  mutating func read<Choice: RawRepresentable<String>>(_ key: SettingKey, into setting: inout Set<Choice>) {
    let isEmptyAllowed = key.allowsNone
    take(key, into: &setting) { text in
      if isEmptyAllowed, SettingsReader.trimmed(text[...]) == "none" { return [] }
      let parts = text.split(separator: ",", omittingEmptySubsequences: false)
      let choices = parts.compactMap { Choice(rawValue: SettingsReader.trimmed($0)) }
      return choices.count == parts.count ? Set(choices) : nil
    }
  }

  mutating func found(_ mistake: SettingMistake) {
    mistakes.append(mistake)
  }

  private static func trimmed(_ text: Substring) -> String {
    let text = text.drop(while: \.isWhitespace)
    guard let last = text.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return String(text[...last])
  }

  /// Where a setting stands, for a mistake about it.
  func place(of key: SettingKey) -> String {
    places[key] ?? "\(key.flag) (default)"
  }
}
