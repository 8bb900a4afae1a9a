/// How much of its accept rate a node gives while it is busy: a part of 1, never less than a tenth, so that a crowd
/// is served in bounded time whatever happens.
public enum AcceptScale {
  public static let least = 0.1
  /// Up to this lag of the event loops the node is not busy, in milliseconds.
  public static let easyLagMS = 20.0
  /// Up to this part of its memory the node is not full; at `fullMemory` it gives the least.
  public static let easyMemory = 0.8
  public static let fullMemory = 0.95
  /// When it has promised turns for so long, in seconds, it can spare the least.
  public static let fullQueue = 5.0

  /// - Parameters:
  ///   - lagMS: how late the event loops are on average, in milliseconds.
  ///   - memory: the part of the memory that it may have which the process has.
  public static func factor(lagMS: Double, memory: Double) -> Double {
    let byLag = lagMS <= easyLagMS ? 1 : easyLagMS / lagMS
    let byMemory = 1 - (memory - easyMemory) / (fullMemory - easyMemory) * (1 - least)
    return max(least, min(1, byLag, byMemory))
  }

  /// The part that it can spare for those whom other nodes send, while it has promised turns for so many seconds.
  public static func spare(queueSeconds: Double) -> Double {
    max(least, min(1, 1 - queueSeconds / fullQueue))
  }
}
