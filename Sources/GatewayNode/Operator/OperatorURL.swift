/// Where an operator listener is: `http://host:port`.
public struct OperatorURL: Sendable, Equatable, CustomStringConvertible {
  public var address: ListenAddress

  /// `http://HOST[:PORT]`, or `HOST:PORT` alone; nil when it is neither.
  public init?(_ text: String) {
    var rest = text[...]
    if rest.hasPrefix("http://") { rest = rest.dropFirst("http://".count) }
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    let hasPort = rest.last != "]" && rest.contains(":")
    guard
      let address = ListenAddress(hasPort ? String(rest) : "\(rest):\(text.hasPrefix("http") ? 80 : 9_090)"),
      address.port > 0
    else { return nil }
    self.address = address
  }

  /// The operator listener of the node on this machine: `SLUICE_OPERATOR_LISTEN`, else the default port. A listener
  /// on every address is reached over loopback.
  public init(local environment: [String: String]) {
    var address =
      environment[SettingKey.operatorListen.variable].flatMap(ListenAddress.init)
      ?? NodeSettings().operatorListen
    if address.host == "0.0.0.0" { address.host = "127.0.0.1" }
    if address.host == "::" { address.host = "::1" }
    self.address = address
  }

  public var description: String { "http://\(address)" }
}
