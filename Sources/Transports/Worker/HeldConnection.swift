/// A connection that stays open for its session until one of the two sides ends it. Confined to its loop.
protocol HeldConnection: AnyObject {
  /// Where the worker keeps it; only the worker changes both.
  var place: Int { get set }
  var isTold: Bool { get set }
  /// Given up with the connection, or when it is told to go; nil where nobody counts.
  var heldPlace: HeldPlace? { get }
  /// Whether it takes what is sent to it at the moment.
  var isWritable: Bool { get }
  /// Whether a drain tells it before the others, because a death of the node in the middle of the drain would cost it
  /// more than them.
  var leavesFirst: Bool { get }

  /// Tells the client to come back elsewhere, in its own jittered time.
  func sayGoodbye(reason: String)

  /// The drain in which it was told to go is called off: it is not closed for staying. False when it must go for
  /// another reason.
  func stay() -> Bool

  /// Ends the connection as the end of a drain does.
  func closeNow()

  /// Ends the connection because its memory is needed.
  func closeForRoom()
}

extension HeldConnection {
  var leavesFirst: Bool { false }

  func stay() -> Bool { true }

  func closeForRoom() { closeNow() }
}

/// Why a connection is told to come back elsewhere, as `goaway` says it.
enum GoodbyeReason {
  static let drain = "drain"
  static let age = "age"
  static let overload = "overload"
}
