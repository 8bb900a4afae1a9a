import Admission
import Testing

@testable import GatewayNode

@Suite struct CheckTests {
  private func mistakes(_ flags: [SettingKey: String]) -> [String] {
    LoadedSettings(flags: flags, environment: [:]).mistakes.map(\.description)
  }

  @Test func theOperatorListenerBeyondLoopbackNeedsAKey() throws {
    #expect(
      mistakes([.operatorListen: "0.0.0.0:9090"]) == [
        """
        --operator-listen is "0.0.0.0:9090": beyond loopback the operator listener needs a key, \
        --operator-key-file FILE
        """
      ]
    )
    let file = try ScratchFile("0123456789abcdef\n")
    #expect(mistakes([.operatorListen: "0.0.0.0:9090", .operatorKeyFile: file.path]).isEmpty)
  }

  @Test func theKeyIsReadFromItsFile() throws {
    let file = try ScratchFile("  0123456789abcdef\n")
    let loaded = LoadedSettings(flags: [.operatorKeyFile: file.path], environment: [:])
    let keys = try loaded.checked().operatorKeys
    #expect(keys.count == 1 && keys[0].matches("0123456789abcdef") && keys[0].role == .act)
  }

  @Test(arguments: ["", "short", "0123456789abcdef two", "0123456789abcdéf"])
  func anUnusableKeyIsAMistake(_ text: String) throws {
    let file = try ScratchFile(text)
    #expect(mistakes([.operatorKeyFile: file.path]).count == 1)
  }

  @Test func aMissingKeyFileIsAMistake() {
    #expect(
      mistakes([.operatorKeyFile: "/nowhere/key"]) == [
        "--operator-key-file is \"/nowhere/key\": cannot be read: No such file or directory"
      ]
    )
  }

  @Test(
    arguments: [
      ("http://127.0.0.1:9000/decide", nil, 0), ("http://[::1]/decide", nil, 0), ("http://localhost", nil, 0),
      ("http://user:word@localhost:80/?q", nil, 0), ("https://backend.example/decide", nil, 1),
      ("http://backend.example/decide", nil, 2), ("http://localhost@backend.example/decide", nil, 2),
      ("http://10.0.0.9:80", "0123456789abcdef", 1), ("https://backend.example", "0123456789abcdef", 0),
    ] as [(String, String?, Int)]
  )
  func aBackendThatAnybodyCouldBeIsWarnedOf(_ url: String, _ secret: String?, _ count: Int) {
    var settings = NodeSettings()
    settings.webhook.url = url
    settings.webhook.secret = secret.map { Array($0.utf8) }
    #expect(settings.webhookConcerns.count == count, "\(settings.webhookConcerns)")
  }

  /// Of what is left beside connections, three quarters are for no client.
  @Test(
    arguments: [
      (400, nil, 200, 50), (1_024, nil, 768, 64), (1_048_576, nil, 1_048_320, 64), (1_024, 100, 100, 64),
      (1_024, 768, 768, 64), (1_024, 769, 768, 64), (400, 1_000, 200, 50), (1, nil, 1, 0),
      (.max, nil, .max - 256, 64),
    ] as [(Int, Int?, Int, Int)]
  )
  func descriptorsAreLeftForMoreThanClients(
    _ limit: Int,
    _ wanted: Int?,
    _ connections: Int,
    _ courtesy: Int
  ) {
    let shares = DescriptorShares(limit: limit, wanted: wanted)
    #expect(shares.connections == connections && shares.courtesy == courtesy)
    var settings = NodeSettings()
    settings.maxConnections = wanted
    #expect(settings.descriptorConcerns(limit: limit).isEmpty == (wanted ?? 0 <= connections))
  }

  @Test func aLimitThatTakesEveryDescriptorIsShown() {
    let loaded = LoadedSettings(flags: [.maxConnections: "10000000"], environment: [:])
    #expect("\(SettingsReport(loaded))".contains("warning: max-connections is 10000000, but"))
    #expect(!"\(SettingsReport(LoadedSettings(flags: [:], environment: [:])))".contains("warning"))
  }

  @Test func passwordsOfURLsAreNotShown() {
    let urls = [
      "http://u:secretpw@127.0.0.1:9000/x", "https://u:secretpw@backend.example", "ftp://u:secretpw@host",
      "u:secretpw@host", "redis://u:secretpw@127.0.0.1",
    ]
    for key in [SettingKey.webhook, .tokenKeySet, .redis] {
      for url in urls {
        let loaded = LoadedSettings(flags: [key: url], environment: [:])
        let text = "\(SettingsReport(loaded))" + loaded.mistakes.map(\.description).joined()
        #expect(!text.contains("secretpw"), "\(key) \(url): \(text)")
      }
    }
  }

  @Test func listenersAreApart() {
    #expect(mistakes([.listen: "127.0.0.1:9090"]).count == 1)
    #expect(mistakes([.listen: "127.0.0.1:0", .operatorListen: "127.0.0.1:0"]).isEmpty)
  }

  @Test func limitsFitTogether() {
    #expect(mistakes([.writeBufferLow: "64KiB"]).count == 1)
    #expect(mistakes([.ringBytes: "2MiB", .ringMemory: "1MiB"]).count == 1)
  }
}
