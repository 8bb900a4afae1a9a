internal import NIOHTTP1
internal import Transports
internal import Wire

/// Who may ask the operator listener.
struct OperatorKey: Sendable {
  /// Nil where everybody on this machine may.
  private let key: [UInt8]?

  init(_ key: String?) {
    self.key = key.map { Array($0.utf8) }
  }

  /// Why the request is refused; nil when it is not.
  func refusal(of request: HTTPRequest) -> ClientError? {
    guard let key else { return foreignPage(request) }
    guard let token = request.bearerToken else {
      return ClientError(.unauthorized, "the operator key is missing: Authorization: Bearer KEY")
    }
    return OperatorKey.isEqual(key, Array(token.utf8))
      ? nil : ClientError(.unauthorized, "this is not the operator key")
  }

  /// Without a key, a page of another site that an operator's browser shows could ask too; its `Origin` tells.
  private func foreignPage(_ request: HTTPRequest) -> ClientError? {
    guard let origin = request.headers.first(name: "Origin") else { return nil }
    let host = request.headers.first(name: "Host") ?? ""
    return origin == "http://\(host)" ? nil : ClientError(.forbidden, "pages of \(origin) may not ask here")
  }

  /// In a time that depends only on the length of what was given.
  static func isEqual(_ key: [UInt8], _ given: [UInt8]) -> Bool {
    var difference = key.count ^ given.count
    for (index, byte) in given.enumerated() {
      difference |= Int(byte ^ key[index % key.count])
    }
    return difference == 0
  }
}
