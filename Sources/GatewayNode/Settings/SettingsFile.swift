private import Configuration
private import Synchronization

/// A YAML file of settings.
struct SettingsFile {
  let path: String
  let layer: SettingsLayer
  /// Every key that has a value, its parts joined by dots, in the order of their names.
  let keys: [String]

  /// Throws one mistake when the file cannot be read or is no YAML mapping.
  init(path: String) throws(SettingMistake) {
    let bytes: [UInt8]
    do {
      bytes = try TextFile.read(path)
    } catch {
      throw SettingMistake(path, "cannot be read: \(error)")
    }
    try self.init(path: path, bytes: bytes)
  }

  init(path: String, bytes: [UInt8]) throws(SettingMistake) {
    self.path = path
    // A provider does not list its keys, but it asks of each whether its value is a secret.
    let seen = KeyList()
    let options = YAMLSnapshot.ParsingOptions(
      secretsSpecifier: .dynamic { key, _ in
        seen.keys.withLock { $0.append(key) }
        return key == SettingKey.redis.rawValue
      }
    )
    let text = SettingsFile.isBlank(bytes) ? Array("{}".utf8) : bytes
    do {
      let snapshot = try YAMLSnapshot(data: text.span.bytes, providerName: path, parsingOptions: options)
      layer = SettingsLayer(.file(path: path), snapshot)
    } catch {
      throw SettingMistake(path, "is no YAML mapping of settings: \(error)")
    }
    keys = seen.keys.withLock { $0.sorted() }
  }

  /// Nothing but comments, as a file in which everything is commented out.
  private static func isBlank(_ bytes: [UInt8]) -> Bool {
    String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).allSatisfy { line in
      line.first { !$0.isWhitespace } == nil || line.first { !$0.isWhitespace } == "#" || line == "---"
    }
  }

  private final class KeyList: Sendable {
    let keys = Mutex<[String]>([])
  }
}
