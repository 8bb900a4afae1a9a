/// The names and values after the `?` of a request target, decoded as a browser's form encodes them.
public struct QueryParameters: Sendable, Equatable {
  private var pairs: [Pair] = []

  private struct Pair: Sendable, Equatable {
    let name: String
    let value: String

    /// Names are compared byte by byte: a target may have a thousand that would be normalized for each look.
    func isNamed(_ name: String) -> Bool {
      self.name.utf8.count == name.utf8.count && self.name.utf8.elementsEqual(name.utf8)
    }
  }

  public init() {}

  /// Nil when an escape is malformed.
  init?(_ query: Substring) {
    for part in query.utf8.split(separator: UInt8(ascii: "&")) {
      let nameEnd = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
      guard let decodedName = PercentEncoding.decode(Substring(part[..<nameEnd]), plusIsSpace: true),
        let value = PercentEncoding.decode(Substring(part[nameEnd...].dropFirst()), plusIsSpace: true)
      else { return nil }
      self.pairs.append(Pair(name: decodedName, value: value))
    }
  }

  public var isEmpty: Bool { self.pairs.isEmpty }

  /// The first value of that name.
  public subscript(name: String) -> String? {
    self.pairs.first { $0.isNamed(name) }?.value
  }

  /// Every value of that name, in their order.
  public func all(_ name: String) -> [String] {
    self.pairs.filter { $0.isNamed(name) }.map(\.value)
  }
}
