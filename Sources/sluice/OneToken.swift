import Synchronization

/// A token of the command line: there is no other when it is refused.
final class OneToken: Sendable {
  private struct Refused: Error {}

  private let token: String
  private let isGiven = Mutex(false)
  private let refuse: @Sendable () -> Void

  /// - Parameter refuse: called when it was given already and another is wanted.
  init(_ token: String, _ refuse: @escaping @Sendable () -> Void) {
    self.token = token
    self.refuse = refuse
  }

  func give() throws -> String {
    let isFirst = isGiven.withLock { isGiven in
      defer { isGiven = true }
      return !isGiven
    }
    guard isFirst else {
      refuse()
      throw Refused()
    }
    return token
  }
}
