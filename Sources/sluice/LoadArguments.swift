import ArgumentParser
import GatewayNode
import LoadTesting
import NIOCore
import SluiceClient

/// Reads what is written after the flags of `sluice load`.
enum LoadArguments {
  static func endpoint(_ text: String, _ name: String) throws -> Endpoint {
    let hasScheme = text.hasPrefix("http://")
    guard let url = OperatorURL(hasScheme || text.contains(":") ? text : "http://\(text)"),
      !url.address.host.isEmpty
    else {
      throw ValidationError("\(name) is \"\(text)\": expected http://HOST:PORT")
    }
    return Endpoint(host: url.address.host, port: url.address.port)
  }

  /// `250ms`, `30s`, `5m`, `1h`; a number alone is seconds.
  static func time(_ text: String, _ name: String) throws -> TimeAmount {
    let units: [(String, Double)] = [("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3_600e9)]
    let unit = units.first { text.hasSuffix($0.0) }
    let number = Double(text.dropLast(unit?.0.count ?? 0))
    guard let number, number >= 0, number * (unit?.1 ?? 1e9) < 1e18 else {
      throw ValidationError("\(name) is \"\(text)\": expected a time, such as 250ms, 30s or 5m")
    }
    return .nanoseconds(Int64(number * (unit?.1 ?? 1e9)))
  }

  static func parsed<Value>(_ text: String, _ name: String, _ form: String, _ parse: (String) -> Value?)
    throws
    -> Value
  {
    guard let value = parse(text) else {
      throw ValidationError("\(name) is \"\(text)\": expected \(form)")
    }
    return value
  }
}
