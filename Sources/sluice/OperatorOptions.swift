import ArgumentParser
import Foundation
import GatewayNode

/// How a command finds the cluster.
struct OperatorOptions: ParsableArguments {
  @Option(
    name: .customLong("operator"),
    help: ArgumentHelp(
      """
      The operator listener of any node. Default: that of the node on this machine. Also SLUICE_OPERATOR; its key \
      is read from SLUICE_OPERATOR_KEY.
      """,
      valueName: "url"
    )
  )
  var address: String?

  /// Asks the listener that the flag or the environment names, else the local one.
  func client() throws -> OperatorClient {
    let environment = ProcessInfo.processInfo.environment
    let key = environment["SLUICE_OPERATOR_KEY"].flatMap { $0.isEmpty ? nil : $0 }
    let named = environment["SLUICE_OPERATOR"].flatMap { $0.isEmpty ? nil : $0 }
    guard let text = address ?? named else {
      return OperatorClient(OperatorURL(local: environment), key: key)
    }
    guard let url = OperatorURL(text) else {
      let place = address == nil ? "SLUICE_OPERATOR" : "--operator"
      throw CommandFailure("\(place) is \"\(text)\": expected http://HOST:PORT")
    }
    return OperatorClient(url, key: key)
  }
}
