/// Why a WebSocket is closed (RFC 6455 section 7.4 and DESIGN.md section 3).
public struct CloseCode: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt16

  public init(rawValue: UInt16) {
    self.rawValue = rawValue
  }

  public static let normal = CloseCode(rawValue: 1000)
  public static let goingAway = CloseCode(rawValue: 1001)
  public static let protocolError = CloseCode(rawValue: 1002)
  public static let unsupportedData = CloseCode(rawValue: 1003)
  public static let invalidText = CloseCode(rawValue: 1007)
  public static let policy = CloseCode(rawValue: 1008)
  public static let tooBig = CloseCode(rawValue: 1009)
  public static let internalError = CloseCode(rawValue: 1011)
  public static let drain = CloseCode(rawValue: 1012)
  public static let overload = CloseCode(rawValue: 1013)
  public static let badToken = CloseCode(rawValue: 4001)
  public static let forbidden = CloseCode(rawValue: 4003)
  public static let tokenExpired = CloseCode(rawValue: 4004)
  /// Comes after everything that was sent before it: only who reads that within a second sees it.
  public static let tooSlow = CloseCode(rawValue: 4008)
  public static let sentAway = CloseCode(rawValue: 4009)
}
