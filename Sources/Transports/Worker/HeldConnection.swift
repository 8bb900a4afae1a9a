/// A connection that stays open for its session until one of the two sides ends it. Confined to its loop.
protocol HeldConnection: AnyObject {
  /// Where the worker keeps it; only the worker changes both.
  var place: Int { get set }
  var isTold: Bool { get set }

  /// Tells the client to come back elsewhere, in its own jittered time.
  func sayGoodbye(reason: String)

  /// Ends the connection as the end of a drain does.
  func closeNow()
}
