import NIOCore
import NIOPosix
public import SluiceClient
public import Wire

/// Publishes, each message once, until it is ended.
public final class Workload: Sendable {
  public let ledger: Ledger
  public let channels: [ChannelName]
  private let pumps: [Confined<PublishPump>]

  /// Publishes over HTTP at a steady rate, over all channels in turn.
  /// - Parameters:
  ///   - rate: publishes a second.
  ///   - connections: to each of `endpoints`, at least one from each loop.
  ///   - size: bytes of each message's `data`.
  public convenience init(
    to endpoints: [Endpoint],
    _ channels: [ChannelName],
    rate: Int,
    connections: Int = 8,
    size: Int = 128
  ) async throws {
    var plan = LoadPlan(.fanout)
    plan.targets = endpoints
    plan.rate = Double(rate)
    plan.size = size
    plan.publishers = connections
    try await self.init(plan, channels)
  }

  /// - Parameters:
  ///   - records: of each loop of the singleton group.
  ///   - stripe: which of its publishes are made here.
  init(
    _ plan: LoadPlan,
    _ channels: [ChannelName],
    counting records: [Confined<LoadCounters>]? = nil,
    stripe: LoadStripe = .whole
  ) async throws {
    self.channels = channels
    let ledger = Ledger()
    self.ledger = ledger
    let loops = Array(MultiThreadedEventLoopGroup.singleton.makeIterator())
    let publishers = max(1, stripe.share(of: plan.publishers))
    let inFlight = plan.inFlight.map { stripe.share(of: $0) }
    let used = min(loops.count, publishers, max(1, inFlight ?? .max))
    var random = SeededRandom(plan.seed)
    let payload = LoadPayload(size: plan.size, using: &random)
    var pumps: [Confined<PublishPump>] = []
    for index in 0..<used {
      let connections = (publishers + used - 1 - index) / used
      let record = records?[index]
      pumps.append(
        try await Confined(on: loops[index]) { loop in
          PublishPump(
            on: loop,
            Workload.lane(plan, connections: connections, on: loop),
            channels,
            payload,
            ledger,
            record?.here,
            // Numbers are dealt to the processes first, then to the loops of each.
            pump: index * stripe.count + stripe.index,
            of: used * stripe.count
          )
        }
      )
    }
    self.pumps = pumps
    let start = NIODeadline.now() + .milliseconds(20)
    for (index, pump) in pumps.enumerated() {
      let share = inFlight.map { ($0 + used - 1 - index) / used }
      try await pump.use { pump in
        if let share {
          pump.begin(inFlight: share)
        } else {
          pump.begin(
            PublishSchedule(
              from: start,
              rate: plan.rate,
              pump: index * stripe.count + stripe.index,
              of: used * stripe.count
            )
          )
        }
      }
    }
  }

  private static func lane(_ plan: LoadPlan, connections: Int, on loop: any EventLoop) -> any PublishLane {
    switch plan.publishOver {
    case .http:
      RequestLane(
        Publisher(
          to: plan.targets,
          connections: max(1, connections / plan.targets.count),
          headers: plan.headers,
          on: loop
        )
      )
    case .webSocket:
      SocketLane(to: plan.targets, connections: connections, headers: plan.headers, on: loop)
    case .operatorAPI:
      OperatorLane(
        to: plan.operators,
        connections: max(1, connections / plan.operators.count),
        on: loop
      )
    }
  }

  /// Publishes nothing more. What is under way goes on.
  public func end() async throws {
    for pump in pumps { try await pump.use { $0.end() } }
  }

  /// Publishes that are neither answered nor given up.
  public var unsettled: Int {
    get async throws {
      var sum = 0
      for pump in pumps { sum += try await pump.use { $0.unsettled } }
      return sum
    }
  }

  /// Closes its connections; what is not answered is given up.
  public func close() async throws {
    for pump in pumps { try await pump.use { $0.close() } }
  }
}
