internal import Admission
internal import NIOCore
internal import NIOHTTP1
internal import Transports
internal import Wire

/// Who may ask the operator listener, and what.
struct OperatorGuard: Sendable {
  /// Why a request is refused.
  struct Refusal: Error {
    let error: ClientError
    /// Who asks, where the key says so.
    var name: String?
  }

  /// None where everybody on this machine may.
  private let keys: [OperatorKey]
  /// Where the listener is bound.
  private let listen: ListenAddress

  init(_ keys: [OperatorKey], listen: ListenAddress) {
    self.keys = keys
    self.listen = listen
  }

  /// Who asks, as the audit log names them; or why the request is refused.
  func admit(_ request: HTTPRequest, for role: OperatorKey.Role) -> Result<String, Refusal> {
    guard !keys.isEmpty else {
      if let error = foreignPage(request) { return .failure(Refusal(error: error)) }
      return .success("anybody on this machine")
    }
    guard let token = request.bearerToken else {
      let error = ClientError(.unauthorized, "the operator key is missing: Authorization: Bearer KEY")
      return .failure(Refusal(error: error))
    }
    // Every key is compared, so that the time does not tell which one it was.
    let matching = keys.filter { $0.matches(token) }
    guard let key = matching.first else {
      return .failure(Refusal(error: ClientError(.unauthorized, "this is not the operator key")))
    }
    guard key.role == .act || role == .read else {
      let error = ClientError(.forbidden, "the key \(key.name) may only read")
      return .failure(Refusal(error: error, name: key.name))
    }
    return .success(key.name)
  }

  /// Without a key, a page of another site that an operator's browser shows could ask too; its `Origin` or
  /// `Sec-Fetch-Site` tells. One whose name was made to lead here after it was loaded tells by its `Host`.
  private func foreignPage(_ request: HTTPRequest) -> ClientError? {
    let host = request.headers.first(name: "Host") ?? ""
    if let origin = request.headers.first(name: "Origin"), origin != "http://\(host)" {
      return ClientError(.forbidden, "pages of \(origin.prefix(100)) may not ask here")
    }
    if let site = request.headers.first(name: "Sec-Fetch-Site"), site != "same-origin", site != "none" {
      return ClientError(.forbidden, "pages of another site may not ask here")
    }
    guard OperatorGuard.isOurs(host, listen) else {
      return ClientError(.forbidden, "this is not \(host.prefix(100)): ask by a loopback address")
    }
    return nil
  }

  static func isOurs(_ host: String, _ listen: ListenAddress) -> Bool {
    guard !host.isEmpty else { return true }
    let address = ListenAddress(host) ?? ListenAddress("\(host):80")
    guard let address else { return false }
    return address.isLoopback || address.host.lowercased() == listen.host.lowercased()
  }
}
