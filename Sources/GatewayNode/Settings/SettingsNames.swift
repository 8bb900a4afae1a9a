/// Finds names that are no setting's.
enum SettingsNames {
  /// What other commands read, and the scripts beside them (`SLUICE_BINARY`, and `SLUICE_LOCAL_` of `deploy/local`):
  /// who has exported one of them means no setting.
  private static let variablesOfCommands = [
    "SLUICE_CONFIG", "SLUICE_OPERATOR", "SLUICE_OPERATOR_KEY", "SLUICE_URL", "SLUICE_TOKEN", "SLUICE_BINARY",
  ]
  private static let prefixOfScripts = "SLUICE_LOCAL_"

  static func mistakes(environment: [String: String]) -> [SettingMistake] {
    let known = SettingKey.allCases.map(\.variable) + variablesOfCommands
    return environment.keys.sorted()
      .filter { $0.hasPrefix(SettingKey.variablePrefix) && !known.contains($0) }
      .filter { !$0.hasPrefix(prefixOfScripts) && !isOfKubernetes($0) }
      .map { name in
        SettingMistake(name, "no such setting\(Spelling.hint(for: name, in: known))")
      }
  }

  static func mistakes(file: SettingsFile) -> [SettingMistake] {
    let known = SettingKey.allCases.map(\.rawValue) + [SettingsReader.namespacesKey]
    var mistakes: [SettingMistake] = []
    for full in file.keys {
      let place = "\(file.path): \(full)"
      let first = String(full.prefix { $0 != "." })
      if first == SettingsReader.namespacesKey { continue }
      let name = first.replacing("_", with: "-")
      if !known.contains(name) {
        mistakes.append(SettingMistake(place, "no such setting\(Spelling.hint(for: name, in: known))"))
      } else if first != full {
        mistakes.append(SettingMistake(place, "\(name) has one value, not a mapping"))
      } else if first != name, file.keys.contains(name) {
        mistakes.append(SettingMistake(place, "the same setting as \(name), which stands there too"))
      }
    }
    return mistakes
  }

  /// Kubernetes describes each service of the namespace to every container: a service called `sluice` makes
  /// `SLUICE_SERVICE_HOST`, `SLUICE_PORT`, `SLUICE_PORT_8080_TCP_ADDR` and more.
  private static func isOfKubernetes(_ name: String) -> Bool {
    name.hasSuffix("_SERVICE_HOST") || name.contains("_SERVICE_PORT") || name.hasSuffix("_PORT")
      || name.contains(#/_PORT_\d+_(TCP|UDP|SCTP)(_PROTO|_PORT|_ADDR)?$/#)
  }
}
