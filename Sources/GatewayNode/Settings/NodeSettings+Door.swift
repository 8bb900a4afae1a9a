internal import Admission

/// What can be wrong with who may come in.
extension NodeSettings {
  mutating func readTokenKeys(_ reader: inout SettingsReader) {
    for path in tokenKeyFiles {
      let place = reader.place(of: .tokenKeys)
      let bytes: [UInt8]
      do {
        bytes = try TextFile.read(path)
      } catch {
        reader.found(SettingMistake(place, value: path, "cannot be read: \(error)"))
        continue
      }
      do {
        tokenKeys += try TokenKey.read(bytes)
      } catch {
        reader.found(SettingMistake(place, value: path, "holds no key for tokens: \(error)"))
      }
    }
    if let url = tokenKeySetURL, !NodeSettings.isTrustworthy(url) {
      reader.found(
        SettingMistake(
          reader.place(of: .tokenKeySet),
          value: SettingKind.withoutPassword(url),
          "expected \(SettingKey.tokenKeySet.kind.expectation)"
        )
      )
    }
  }

  func checkTLS(_ reader: inout SettingsReader) {
    switch (tlsCertificate, tlsKey) {
    case (nil, nil): return
    case (let certificate?, let key?):
      do {
        _ = try ServerIdentity(certificate: certificate, key: key)
      } catch {
        reader.found(
          SettingMistake(reader.place(of: .tlsCertificate), value: certificate, "cannot be used: \(error)")
        )
      }
    case (let certificate?, nil):
      reader.found(
        SettingMistake(reader.place(of: .tlsCertificate), value: certificate, "expected tls-key beside it")
      )
    case (nil, let key?):
      reader.found(
        SettingMistake(reader.place(of: .tlsKey), value: key, "expected tls-certificate beside it")
      )
    }
  }

  /// Who can change the keys on their way can come in as anybody: they come by TLS, or from this machine.
  static func isTrustworthy(_ url: String) -> Bool {
    let isPlain = url.hasPrefix("http://")
    guard isPlain || url.hasPrefix("https://") else { return false }
    let rest = url.dropFirst(isPlain ? 7 : 8)
    let authority = String(rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" })
    guard !authority.isEmpty, !authority.contains("@"),
      let address = ListenAddress(authority) ?? ListenAddress("\(authority):443")
    else { return false }
    return !isPlain || address.isLoopback
  }
}
