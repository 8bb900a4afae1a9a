public import Wire

extension CloseCode {
  /// Whether a peer may put the code into a close frame (RFC 6455 section 7.4 and IANA's registry): 1004, 1005,
  /// 1006 and 1015 are never sent, and what lies between the registered ones and 3000 is not assigned.
  public var mayBeReceived: Bool {
    switch self.rawValue {
    case 1000...1003, 1007...1014, 3000...4999: true
    default: false
    }
  }
}
