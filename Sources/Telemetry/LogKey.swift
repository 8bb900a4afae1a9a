/// The metadata keys of log lines: one spelling each, in every module.
public enum LogKey {
  public static let node = "node"
  public static let incarnation = "incarnation"
  public static let version = "version"
  public static let state = "state"
  /// Where a listener is bound, or what is connected to.
  public static let address = "address"
  /// One id on every line of a connection.
  public static let connection = "connection"
  public static let channel = "channel"
  public static let member = "member"
  public static let reason = "reason"
  public static let error = "error"
  public static let count = "count"
  public static let seconds = "seconds"
  /// Who asked for it.
  public static let by = "by"
  /// What was done, to what, and what came of it.
  public static let act = "act"
  public static let target = "target"
  public static let result = "result"
}
