/// Something wrong in the settings, for the person who wrote them.
public struct SettingMistake: Error, Sendable, Equatable, CustomStringConvertible {
  /// The flag, variable or file and key.
  public var place: String
  /// What stands there, as far as it may be shown.
  public var value: String?
  /// What is wrong and what is allowed.
  public var problem: String

  public init(_ place: String, value: String? = nil, _ problem: String) {
    self.place = place
    self.value = value
    self.problem = problem
  }

  public var description: String {
    value.map { "\(place) is \"\($0)\": \(problem)" } ?? "\(place): \(problem)"
  }
}

/// Everything that is wrong in the settings.
public struct SettingMistakes: Error, Sendable, CustomStringConvertible {
  public var all: [SettingMistake]

  public var description: String {
    let count = all.count == 1 ? "1 mistake" : "\(all.count) mistakes"
    return "\(count) in the settings:\n" + all.map { "  \($0)" }.joined(separator: "\n")
  }
}
