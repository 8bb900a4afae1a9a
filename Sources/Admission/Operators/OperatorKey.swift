import Crypto

/// One key of the operator listener. The key itself is not kept, only its hash.
public struct OperatorKey: Sendable, Equatable {
  /// What it opens.
  public enum Role: String, Sendable, CaseIterable {
    /// Nodes, metrics, the dashboard.
    case read
    /// All of it: to drain, and to publish.
    case act
  }

  public let role: Role
  /// Who has it, as the audit log says: the name given to it, else the start of its hash.
  public let name: String
  private let hash: [UInt8]

  public init(_ key: String, role: Role = .act, name: String? = nil) {
    hash = OperatorKey.hash(key)
    self.role = role
    self.name = name ?? "key \(hash.prefix(4).map { OperatorKey.hex($0) }.joined())"
  }

  /// In a time that says nothing of the key: hashes are compared, and wholly.
  public func matches(_ given: some StringProtocol) -> Bool {
    var difference: UInt8 = 0
    for (ours, theirs) in zip(hash, OperatorKey.hash(given)) { difference |= ours ^ theirs }
    return difference == 0
  }

  /// The keys of a file: in each line a key, or `ROLE KEY`, or `ROLE KEY NAME`. A key alone may do everything; what
  /// begins with `#` is no key. Nil when a line is something else, or there is no key, or one is there twice.
  public static func read(_ text: String) -> [OperatorKey]? {
    var keys: [OperatorKey] = []
    for line in text.split(whereSeparator: \.isNewline) {
      let words = line.split(whereSeparator: \.isWhitespace)
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      let role = words.count > 1 ? Role(rawValue: String(first)) : .act
      let key = words.count > 1 ? words[1] : first
      guard let role, words.count <= 3, key.utf8.count >= 16,
        key.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
      else { return nil }
      let new = OperatorKey(String(key), role: role, name: words.count == 3 ? String(words[2]) : nil)
      guard !keys.contains(where: { $0.hash == new.hash }) else { return nil }
      keys.append(new)
    }
    return keys.isEmpty ? nil : keys
  }

  private static func hash(_ text: some StringProtocol) -> [UInt8] {
    Array(SHA256.hash(data: Array(text.utf8)))
  }

  private static func hex(_ byte: UInt8) -> String {
    let text = String(byte, radix: 16)
    return byte < 16 ? "0\(text)" : text
  }
}
