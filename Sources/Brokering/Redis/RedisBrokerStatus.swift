import NIOConcurrencyHelpers

/// What is known of every connection of a broker, from whatever loop.
final class RedisBrokerStatus: Sendable {
  private struct State {
    /// Why nothing can be written; nil when it can be.
    var core: String? = "not started"
    /// Why the feed brings nothing.
    var feed: String? = "not started"
    /// The same as for the core, by port.
    var ports: [Int: String] = [:]
  }

  private let state = NIOLockedValueBox(State())

  func core(_ problem: String?) {
    state.withLockedValue { $0.core = problem }
  }

  func feed(_ problem: String?) {
    state.withLockedValue { $0.feed = problem }
  }

  func port(_ index: Int, _ problem: String?) {
    state.withLockedValue { $0.ports[index] = problem }
  }

  var health: BrokerHealth {
    state.withLockedValue { state in
      let writing = state.core ?? state.ports.values.first
      return BrokerHealth(
        canPublish: writing == nil,
        isFed: state.feed == nil,
        problem: writing ?? state.feed
      )
    }
  }
}
