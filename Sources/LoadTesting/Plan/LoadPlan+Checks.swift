import NIOCore
import SluiceClient
import Telemetry

extension LoadPlan {
  /// Channels that one client follows, at the most: a stream or a poll names them all in its URL.
  static let mostChannelsPerClient = 50

  /// Everything that is wrong with it, in words for a person; nothing is dialled before it is empty.
  public func mistakes() -> [String] {
    var mistakes: [String] = []
    func require(_ condition: Bool, _ words: @autoclosure () -> String) {
      if !condition { mistakes.append(words()) }
    }
    require(!targets.isEmpty, "no target: give the URL of a node, or of what stands before the nodes")
    if !ownsTarget {
      for place in targets + operators.map(\.endpoint) where !place.isLoopback {
        mistakes.append("\(place.host) is not this machine: --i-own-this-target says that it may be loaded")
      }
    }
    require(connections >= 1, "--connections is \(connections): expected 1 or more")
    require(channels >= 1, "--channels is \(channels): expected 1 or more")
    require(connectRate > 0, "--connect-rate is \(connectRate): expected more than 0")
    require(rate >= 0, "--rate is \(rate): expected 0 or more")
    require(inFlight.map { $0 >= 1 } ?? true, "--in-flight is \(inFlight ?? 0): expected 1 or more")
    require(
      !publishes || size >= LoadPayload.smallest,
      "--size is \(size): expected \(LoadPayload.smallest) or more, which the time and the number take"
    )
    require(size <= 1 << 20, "--size is \(size): expected at most \(1 << 20)")
    require(publishers >= 1, "--publishers is \(publishers): expected 1 or more")
    require(duration > .zero, "--duration is 0: expected more")
    require(warmUp >= .zero, "--warm-up is less than 0")
    require((0...1).contains(churn), "--churn is \(churn): expected a share of all clients, 0% to 100%")
    require(rounds >= 1, "--rounds is \(rounds): expected 1 or more")
    if case .fixed(let count) = subscribers {
      require(
        count <= connections,
        "--subscribers is \(count), but there are only \(connections) clients: one has a channel once"
      )
    }
    if channels >= 1, connections >= 1 {
      let most = subscribers.mostChannels(clients: connections, channels: channels)
      require(
        most <= LoadPlan.mostChannelsPerClient,
        """
        a client would follow \(most) channels, and more than \(LoadPlan.mostChannelsPerClient) are not meant: take \
        more --connections or fewer --channels
        """
      )
    }
    if publishOver == .operatorAPI, publishes {
      require(!operators.isEmpty, "--publish-over operator needs --operator URL")
    }
    return mistakes + scenarioMistakes
  }

  private var scenarioMistakes: [String] {
    switch scenario {
    case .rolling where operators.isEmpty && command == nil:
      [
        "rolling needs --operator URL, to drain the nodes one after another, or --command, which replaces them"
      ]
    case .slowReaders where slow == nil: ["slow-readers needs --slow, such as 10%@2KB/s"]
    case .storm where !publishes, .resume where !publishes, .slowReaders where !publishes:
      ["\(scenario.rawValue) shows nothing without publishes: give --rate"]
    default: []
    }
  }

  /// What stands against so many connections on this machine; nil when nothing does. Raises the limit as far as it
  /// can be raised.
  /// - Parameter stripe: what is played here.
  public func limitMistake(_ stripe: LoadStripe = .whole) -> String? {
    let connections = stripe.share(of: connections)
    // Who moves to another node has two connections for a moment.
    let spare = scenario == .rolling ? connections / 4 : 0
    let needed = connections + spare + members + publishers * max(1, targets.count) + 100
    let limit = DescriptorLimit.raise()
    guard needed > limit else { return nil }
    let processes = (needed + limit - 1) / limit
    return """
      \(connections) connections need \(needed) open files, and this process may have \(limit): raise it (ulimit -n), \
      or share them among \(processes * stripe.count) processes with --join \(processes * stripe.count)
      """
  }
}
