import GatewayNode
import Testing

@Suite struct OperatorURLTests {
  @Test(arguments: [
    ("http://127.0.0.1:9090", "http://127.0.0.1:9090"), ("http://gate/", "http://gate:80"),
    ("gate:1", "http://gate:1"), ("gate", "http://gate:9090"), ("http://[::1]:7", "http://[::1]:7"),
    ("http://[::1]", "http://[::1]:80"),
  ])
  func readsURLs(_ text: String, _ shown: String) throws {
    #expect(try #require(OperatorURL(text)).description == shown)
  }

  @Test(arguments: ["", "https://gate", "http://", "http://gate:0", "http://gate/path", "http://u:p@gate"])
  func refusesOthers(_ text: String) {
    #expect(OperatorURL(text) == nil)
  }

  @Test func findsTheLocalNode() {
    #expect(OperatorURL(local: [:]).description == "http://127.0.0.1:9090")
    #expect(
      OperatorURL(local: ["SLUICE_OPERATOR_LISTEN": "0.0.0.0:9999"]).description == "http://127.0.0.1:9999"
    )
    #expect(OperatorURL(local: ["SLUICE_OPERATOR_LISTEN": "[::]:1"]).description == "http://[::1]:1")
  }
}
