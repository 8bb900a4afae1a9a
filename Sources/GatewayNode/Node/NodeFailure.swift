/// Why a node cannot serve, for a person.
public struct NodeFailure: Error, Sendable, Equatable, CustomStringConvertible {
  public let description: String

  init(_ description: String) {
    self.description = description
  }
}
