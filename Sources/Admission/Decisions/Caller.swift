public import NIOCore
public import Wire

/// Who stands behind a connection or a request, and what is granted to them.
public struct Caller: Sendable {
  /// The token's `sub`, or what the connect hook answered; nil for an anonymous client.
  public var user: String?
  /// One JSON value that members show; nil for none.
  public var info: ByteBuffer?
  public var rights: Rights
  /// When the token runs out, in milliseconds since 1970; nil for never.
  public var expires: Int64?
  /// From where: the client's own address, behind a trusted proxy what the proxy tells.
  public let origin: Origin

  public init(
    user: String? = nil,
    info: ByteBuffer? = nil,
    rights: Rights = .namespacesOnly,
    expires: Int64? = nil,
    from origin: Origin
  ) {
    self.user = user
    self.info = info
    self.rights = rights
    self.expires = expires
    self.origin = origin
  }

  /// Its text is made where it is asked for: most connections are never asked.
  public enum Origin: Sendable {
    case peer(SocketAddress)
    case told(String)
    case unknown
  }

  /// The client's own IP address; empty where it is not known.
  public var address: String {
    switch origin {
    case .peer(let address): address.ipAddress ?? ""
    case .told(let text): text
    case .unknown: ""
    }
  }

  /// The same, as limits know it; nil for what is no IP address.
  public var clientAddress: ClientAddress? {
    switch origin {
    case .peer(let address): ClientAddress(address)
    case .told(let text): ClientAddress(text)
    case .unknown: nil
    }
  }
}

/// What a caller may do, channel by channel.
public struct Rights: Sendable, Equatable {
  public enum Act: String, Sendable, CaseIterable {
    case subscribe, publish, presence, history
  }

  /// Granted by name: an act that is not here is granted nowhere. Nil where nothing is said of channels at all.
  public var granted: [Act: [ChannelPattern]]?

  public init(_ granted: [Act: [ChannelPattern]]) {
    self.granted = granted
  }

  private init() {}

  /// Nothing is said: namespaces alone decide.
  public static let namespacesOnly = Rights()

  public func grants(_ act: Act, _ channel: ChannelName) -> Bool {
    granted?[act]?.contains { $0.matches(channel) } ?? false
  }
}
