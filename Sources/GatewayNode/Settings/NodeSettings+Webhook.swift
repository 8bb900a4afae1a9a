extension NodeSettings {
  /// The URL of the backend, and the file with its secret.
  mutating func checkWebhook(_ reader: inout SettingsReader) {
    if let url = webhook.url, !NodeSettings.isWebURL(url) {
      let shown = SettingKind.withoutPassword(url)
      reader.found(
        SettingMistake(
          reader.place(of: .webhook),
          value: shown,
          "expected \(SettingKind.backendURL.expectation)"
        )
      )
    }
    if webhook.url == nil, !webhook.events.isEmpty {
      reader.found(
        SettingMistake(
          reader.place(of: .webhookEvents),
          value: nil,
          "needs a backend: \(SettingKey.webhook.rawValue)"
        )
      )
    }
    guard let path = webhook.secretFile else { return }
    let place = reader.place(of: .webhookSecretFile)
    do {
      let text = String(decoding: try TextFile.read(path), as: UTF8.self)
      let words = text.split(whereSeparator: \.isWhitespace)
      guard words.count == 1, words[0].utf8.count >= 16,
        words[0].utf8.allSatisfy({ (0x21...0x7e).contains($0) })
      else {
        let expected = "expected one line of at least 16 visible characters in the file"
        return reader.found(SettingMistake(place, value: path, expected))
      }
      webhook.secret = Array(words[0].utf8)
    } catch {
      reader.found(SettingMistake(place, value: path, "cannot be read: \(error)"))
    }
  }

  /// What is dangerous about the backend's place, beyond this machine; nothing is wrong with it otherwise.
  var webhookConcerns: [String] {
    guard let url = webhook.url, !NodeSettings.isOnThisMachine(url) else { return [] }
    var concerns: [String] = []
    if url.hasPrefix("http://") {
      concerns.append(
        "the webhook is asked over http: whoever is between can read the questions, and answer them with yes"
      )
    }
    if webhook.secretFile == nil, webhook.secret == nil {
      concerns.append(
        "the webhook's questions are not signed, so its backend cannot tell whose they are; see \(SettingKey.webhookSecretFile.flag)"
      )
    }
    return concerns
  }

  private static func isOnThisMachine(_ url: String) -> Bool {
    let rest = url.drop { $0 != "/" }.dropFirst(2)
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    let host = String(authority.split(separator: "@", omittingEmptySubsequences: false).last ?? "")
    return (ListenAddress(host) ?? ListenAddress("\(host):80"))?.isLoopback == true
  }

  private static func isWebURL(_ text: String) -> Bool {
    guard let scheme = ["http://", "https://"].first(where: { text.hasPrefix($0) }) else { return false }
    let host = text.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" }
    return !host.isEmpty && text.utf8.allSatisfy { (0x21...0x7e).contains($0) } && !text.contains("#")
  }
}
