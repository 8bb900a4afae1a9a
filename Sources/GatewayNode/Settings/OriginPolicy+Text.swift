internal import Admission

extension OriginPolicy {
  /// Nil when a part of the list is neither an origin nor `*`.
  init?(list: String) {
    let parts = list.split(separator: ",", omittingEmptySubsequences: false).map {
      $0.filter { !$0.isWhitespace }
    }
    let patterns = parts.filter { $0 != "*" }.map { Pattern($0) }
    guard patterns.allSatisfy({ $0 != nil }) else { return nil }
    self.init(allowsAll: parts.contains("*"), patterns: patterns.compactMap { $0 })
  }

  /// As it is written in a file.
  var text: String {
    if allowsAll { return "*" }
    return patterns.isEmpty ? "none: the node's own" : patterns.map(\.text).joined(separator: ",")
  }
}
