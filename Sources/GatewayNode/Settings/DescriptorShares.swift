internal import Telemetry

/// How the descriptors that a process may have are shared out: most are for connections of clients, some for those that
/// are refused and stay until they have read why, and the rest is for Redis, operators, webhooks and files. No flood
/// takes that.
struct DescriptorShares: Equatable {
  /// Connections of clients, at the most.
  let connections: Int
  /// Refused connections of a listener that may be there at once to be told so.
  let courtesy: Int

  /// What is left beside connections, where there is enough.
  static let reserve = 256

  /// - Parameters:
  ///   - limit: descriptors that the process may have.
  ///   - wanted: connections as they are set; nil for as many as there may be.
  init(limit: Int, wanted: Int? = nil) {
    let reserve = min(DescriptorShares.reserve, limit / 2)
    let most = max(1, limit - reserve)
    connections = min(wanted ?? most, most)
    courtesy = reserve / 4
  }
}

extension NodeSettings {
  /// As this process may have them now.
  var descriptors: DescriptorShares {
    DescriptorShares(limit: DescriptorLimit.current, wanted: maxConnections)
  }

  /// What is to be known of a limit that leaves too little.
  /// - Parameter limit: descriptors that the process may have.
  func descriptorConcerns(limit: Int = DescriptorLimit.most) -> [String] {
    let shares = DescriptorShares(limit: limit, wanted: maxConnections)
    guard let maxConnections, shares.connections < maxConnections else { return [] }
    return [
      """
      \(SettingKey.maxConnections.rawValue) is \(maxConnections), but the process may have \(limit) open files \
      (ulimit -n): only \(shares.connections) connections are taken, and the rest is left to Redis, operators and files
      """
    ]
  }
}
