import NIOCore
import SluiceClient

extension LoadPlan {
  /// What is asked for, in the words and the order of the command line.
  public var settings: [LoadSetting] {
    var settings = [
      LoadSetting("target", targets.map { "http://\($0.host):\($0.port)" }.joined(separator: " "))
    ]
    let add = { (name: String, value: String) in settings.append(LoadSetting(name, value)) }
    if !operators.isEmpty { add("operator", operators.map(\.description).joined(separator: " ")) }
    add("connections", "\(connections)")
    add("transports", "\(transports)")
    if !sourcesNow.isEmpty { add("sources", "\(SourceAddresses(sourcesNow))") }
    add("connect-rate", LoadPlan.words(connectRate))
    add("warm-up", LoadPlan.words(warmUp))
    add("duration", LoadPlan.words(duration))
    add("channels", "\(channels)")
    add("subscribers", "\(subscribers)")
    if let inFlight { add("in-flight", "\(inFlight)") } else { add("rate", LoadPlan.words(rate)) }
    if publishes {
      add("size", "\(size)")
      add("publish-over", publishOver.rawValue)
      add("publishers", "\(publishers)")
    }
    if churn > 0 { add("churn", "\(Share(value: churn))") }
    if let slow { add("slow", "\(slow)") }
    if scenario == .resume { add("away", LoadPlan.words(away)) }
    if members > 0 { add("members", "\(members)") }
    if watchers > 0 { add("watchers", "\(watchers)") }
    if scenario == .rolling {
      if let command { add("command", command) }
      if let drainWindow { add("drain-window", LoadPlan.words(drainWindow)) }
      add("rounds", "\(rounds)")
      if isUnplanned { add("unplanned", "true") }
    }
    add("seed", "\(seed)")
    return settings
  }

  /// `2s`, `1.5s` or `250ms`.
  static func words(_ time: TimeAmount) -> String {
    let milliseconds = time.nanoseconds / 1_000_000
    if milliseconds < 1_000 { return "\(milliseconds)ms" }
    return "\(words(Double(milliseconds) / 1_000))s"
  }

  static func words(_ number: Double) -> String {
    number == number.rounded() && number.magnitude < 1e15 ? "\(Int(number))" : "\(number)"
  }
}
