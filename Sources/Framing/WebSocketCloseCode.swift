/// Status codes of a close frame (RFC 6455 section 7.4 and IANA's registry), as far as the protocol itself needs them.
public enum WebSocketCloseCode {
  public static let normal: UInt16 = 1000
  public static let goingAway: UInt16 = 1001
  public static let protocolError: UInt16 = 1002
  public static let unsupportedData: UInt16 = 1003
  public static let invalidData: UInt16 = 1007
  public static let policy: UInt16 = 1008
  public static let tooBig: UInt16 = 1009
  public static let internalError: UInt16 = 1011

  /// Whether a peer may put the code into a close frame: 1004, 1005, 1006 and 1015 are never sent, and
  /// what lies between the registered ones and 3000 is not assigned.
  public static func mayBeReceived(_ code: UInt16) -> Bool {
    switch code {
    case 1000...1003, 1007...1014, 3000...4999: true
    default: false
    }
  }
}
