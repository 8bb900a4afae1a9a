public import Admission
public import NIOHTTP1
public import Wire

/// Which handler answers what. One per event loop, so that handlers may hold what is confined to it.
public struct RouteTable {
  /// Called on the connection's event loop once the whole request is there. Each call must end in one answer of the
  /// responder, now or later.
  public typealias Handler = (HTTPRequest, Responder) -> Void

  /// Called once the head is there, with a request that has no body yet; what it returns is answered instead, and no body
  /// is read for it.
  public typealias Guard = (HTTPRequest) -> ClientError?

  /// What a route answers: a method, and a path like `/v1/channels/{channel}/messages`.
  public struct Pattern: Sendable, CustomStringConvertible {
    public let method: HTTPMethod
    public let path: String

    public init(_ method: HTTPMethod, _ path: String) {
      self.method = method
      self.path = path
    }

    public var description: String { "\(self.method.rawValue) \(self.path)" }
  }

  public struct Route {
    let pattern: Pattern
    var method: HTTPMethod { self.pattern.method }
    let segments: [Segment]
    /// Bytes the request's body may have; over it `413`.
    let bodyLimit: Int
    var admits: Guard?
    let handler: Handler
  }

  enum Segment: Equatable {
    case literal(String)
    case parameter(String)
  }

  enum Match {
    case found(Route, PathParameters)
    /// The path is known under these methods, for an `Allow` header.
    case otherMethods(allow: String)
    case none
  }

  private var routes: [Route] = []
  /// Bytes that the body of some request may have.
  private(set) var largestBody = 0
  /// Answers what no path matches, whatever the method; without it that is `404`.
  public var fallback: Handler?
  /// Pages of which sites may ask what is below `/v1`; nil for all, who are told nothing of it.
  public var origins: OriginPolicy?

  /// Answers the request of a connection that may not stay, with an error, or as its handler would.
  public var refuse: (HTTPRequest, Responder, ClientError, Handler) -> Void = { _, responder, error, _ in
    responder.respond(error)
  }

  public init() {}

  /// Adds a route; of two that match, the one added first answers.
  /// - Parameters:
  ///   - pattern: like `/v1/channels/{channel}/messages`; a name in braces stands for one whole segment.
  ///   - bodyLimit: bytes the body may have.
  ///   - admits: who may ask; nil for everybody.
  public mutating func add(
    _ method: HTTPMethod,
    _ pattern: String,
    bodyLimit: Int = 0,
    admits: Guard? = nil,
    _ handler: @escaping Handler
  ) {
    precondition(pattern.hasPrefix("/"))
    let segments =
      pattern == "/"
      ? []
      : pattern.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map { part in
        part.hasPrefix("{") ? Segment.parameter(String(part.dropFirst().dropLast())) : .literal(String(part))
      }
    self.largestBody = max(self.largestBody, bodyLimit)
    self.routes.append(
      Route(
        pattern: Pattern(method, pattern),
        segments: segments,
        bodyLimit: bodyLimit,
        admits: admits,
        handler: handler
      )
    )
  }

  func match(_ method: HTTPMethod, _ segments: [String]) -> Match {
    var others: [HTTPMethod] = []
    for route in self.routes {
      guard let parameters = Self.parameters(of: route, in: segments) else { continue }
      if route.method == method || (route.method == .GET && method == .HEAD) {
        return .found(route, parameters)
      }
      others.append(route.method)
    }
    if !others.isEmpty { return .otherMethods(allow: Self.allow(others)) }
    guard let fallback = self.fallback else { return .none }
    let route = Route(pattern: Pattern(method, "*"), segments: [], bodyLimit: 0, handler: fallback)
    return .found(route, PathParameters())
  }

  /// Every route, in the order in which they were added. `HEAD` and `OPTIONS` are answered beside them.
  public var patterns: [Pattern] { self.routes.map(\.pattern) }

  /// Every method that some route has, for the answer about the server as a whole.
  var allMethods: String { Self.allow(self.routes.map(\.method)) }

  private static func parameters(of route: Route, in segments: [String]) -> PathParameters? {
    guard route.segments.count == segments.count else { return nil }
    var parameters = PathParameters()
    for (pattern, segment) in zip(route.segments, segments) {
      switch pattern {
      case .literal(let literal):
        guard literal == segment else { return nil }
      case .parameter(let name):
        guard !segment.isEmpty else { return nil }
        parameters.append(name, segment)
      }
    }
    return parameters
  }

  private static func allow(_ methods: [HTTPMethod]) -> String {
    var names: [String] = []
    for method in methods {
      for name in method == .GET ? ["GET", "HEAD"] : [method.rawValue] where !names.contains(name) {
        names.append(name)
      }
    }
    return (names + ["OPTIONS"]).joined(separator: ", ")
  }
}

@available(*, unavailable)
extension RouteTable: Sendable {}
