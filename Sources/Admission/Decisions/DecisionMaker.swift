public import NIOCore
public import Wire

/// Has a word in who may do what, after tokens and namespaces have agreed: a backend, where one is set.
public protocol DecisionMaker: Sendable {
  /// Which questions it wants to be asked; the others are not put to it.
  var decides: Set<Question.Kind> { get }

  /// How many questions one client may have out, so that it leaves room for those of others; at least 1.
  var atOnce: Int { get }

  /// Answers on `loop`, exactly once, within the decision maker's own time limit. A failure is what the client is told.
  func decide(
    _ question: Question,
    on loop: any EventLoop,
    _ answer: @escaping @Sendable (Result<Decision, ClientError>) -> Void
  )
}

/// What somebody wants to do.
public struct Question: Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    case connect, subscribe, publish
  }

  public var kind: Kind
  public var caller: Caller
  public var transport: TransportKind
  /// The public id of the session; nil for a request without one.
  public var member: String?
  /// Of a subscription or a publish.
  public var channel: ChannelName?
  /// Of a publish: the JSON value.
  public var data: ByteBuffer?

  public init(_ kind: Kind, by caller: Caller, over transport: TransportKind) {
    self.kind = kind
    self.caller = caller
    self.transport = transport
  }
}

/// What comes of a question that was answered with yes.
public struct Decision: Sendable {
  /// Of a connection: who it is, where the answer says so.
  public var user: String?
  public var info: ByteBuffer?
  public var rights: Rights?
  /// Of a publish: what is published in its place.
  public var data: ByteBuffer?

  public init() {}
}
