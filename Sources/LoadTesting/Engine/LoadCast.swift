import NIOCore
import SluiceClient
import Wire

/// Who takes part in a run: the channels, and what each client wants of them.
struct LoadCast: Sendable {
  let channels: [ChannelName]
  let clients: [SubscriberSettings]
  /// Channels that somebody follows.
  let published: [ChannelName]
  let members: [SubscriberSettings]
  let watchers: [SubscriberSettings]
  /// Read rate of those who are not slow yet.
  static let unhurried = 1 << 30

  /// - Parameters:
  ///   - tag: tells the channels of this run from those of others.
  ///   - stripe: which of its clients are here.
  init(_ plan: LoadPlan, tag: String, stripe: LoadStripe = .whole) {
    var random = SeededRandom(plan.seed)
    let channels = (0..<plan.channels).map { ChannelName("load:\(tag)-\($0)")! }
    self.channels = channels
    let dealt = plan.subscribers.dealt(clients: plan.connections, channels: plan.channels)
    let transports = plan.transports.dealt(to: plan.connections, using: &random)
    let slow = LoadCast.slowOnes(plan, transports, using: &random)
    let sources = plan.sourcesNow
    var clients: [SubscriberSettings] = []
    clients.reserveCapacity(stripe.share(of: plan.connections))
    for number in 0..<plan.connections where stripe.contains(number) {
      var endpoint = plan.targets[number % plan.targets.count]
      if !sources.isEmpty {
        endpoint.sourceAddress = sources[number / plan.targets.count % sources.count]
      }
      if slow.contains(number), let rate = plan.slow?.bytesPerSecond {
        endpoint.readRate = plan.scenario == .slowReaders ? LoadCast.unhurried : rate
      }
      var settings = SubscriberSettings(
        name: "\(TransportShares.name(of: transports[number])) \(number)",
        endpoint: endpoint,
        channels: dealt[number].map { channels[$0] }
      )
      settings.transport = transports[number]
      settings.headers = plan.headers
      if plan.scenario == .presence { settings.presence = .join }
      clients.append(settings)
    }
    self.clients = clients
    let followed = Set(dealt.joined())
    published = channels.indices.filter(followed.contains).map { channels[$0] }
    let presence = LoadCast.presence(plan, channels, tag)
    members = presence.members
    watchers = presence.watchers
  }

  /// Polls cannot be slow, only late.
  private static func slowOnes(
    _ plan: LoadPlan,
    _ transports: [SubscriberTransport],
    using random: inout SeededRandom
  ) -> Set<Int> {
    guard let slow = plan.slow else { return [] }
    let able = transports.indices.filter { [.webSocket, .eventStream].contains(transports[$0]) }
    let count = Int((slow.share * Double(plan.connections)).rounded())
    return Set(able.shuffled(using: &random).prefix(count))
  }

  private static func presence(
    _ plan: LoadPlan,
    _ channels: [ChannelName],
    _ tag: String
  ) -> (members: [SubscriberSettings], watchers: [SubscriberSettings]) {
    let room = ChannelName("load:\(tag)-members")!
    // A browser's own stream has no session to come back with.
    let transports = plan.transports.shares.map(\.transport).filter { $0 != .nativeEventSource }
    let members = (0..<plan.members).map { number in
      var settings = SubscriberSettings(
        name: "member \(number)",
        endpoint: plan.targets[number % plan.targets.count],
        channels: [room]
      )
      settings.transport = transports.isEmpty ? .webSocket : transports[number % transports.count]
      settings.presence = .join
      settings.headers = plan.headers
      return settings
    }
    let watched = plan.scenario == .presence ? channels : [room]
    let watchers = (0..<plan.watchers).map { number in
      var settings = SubscriberSettings(
        name: "watcher \(number)",
        endpoint: plan.targets[number % plan.targets.count],
        channels: watched
      )
      settings.headers = plan.headers
      return settings
    }
    return (members, watchers)
  }
}
