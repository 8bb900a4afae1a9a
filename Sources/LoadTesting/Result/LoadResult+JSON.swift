public import Foundation

extension LoadResult {
  /// Why a file is no result.
  public struct Unreadable: Error, CustomStringConvertible {
    public let description: String
  }

  /// Reads what ``json(isPretty:)`` wrote, of this version of the form.
  public init(json: Data) throws(Unreadable) {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let found: LoadResult
    do {
      found = try decoder.decode(LoadResult.self, from: json)
    } catch {
      throw Unreadable(description: LoadResult.reason(error))
    }
    guard found.version == 1 else {
      throw Unreadable(description: "it is of version \(found.version) of the form, and this reads version 1")
    }
    self = found
  }

  /// Names in `snake_case`, in alphabetical order.
  public func json(isPretty: Bool = false) throws -> Data {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting =
      isPretty
      ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted] : [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self)
  }

  private static func reason(_ error: any Error) -> String {
    func place(_ path: [any CodingKey]) -> String {
      path.isEmpty
        ? "" : " in \(path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: "."))"
    }
    return switch error as? DecodingError {
    case .keyNotFound(let key, let context): "it has no \(key.stringValue)\(place(context.codingPath))"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      "something else was expected\(place(context.codingPath))"
    case .dataCorrupted(let context): "\(context.debugDescription)\(place(context.codingPath))"
    default: "\(error)"
    }
  }
}
