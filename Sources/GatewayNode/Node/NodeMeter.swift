internal import Admission
internal import Brokering
internal import Delivery
private import NIOConcurrencyHelpers
internal import NIOCore
internal import Telemetry
internal import Transports

/// Measures once a second what the node does and how it fares, and opens its gate as wide as that allows.
final class NodeMeter: Sendable {
  /// Over how many seconds rates and the lag are taken.
  static let span = 5

  private struct Counts {
    var at: NIODeadline
    var messagesIn: UInt64
    var messagesOut: UInt64
    var connects: UInt64
  }

  private struct State {
    var counts: [Counts] = []
    var lags: [LoopLag.Reading] = []
    var load = NodeLoad()
    var memory = 0
    var spare = 1.0
    var pressure = MemoryPressure()
  }

  let gate: AcceptGate
  /// The gate's rate while the node is not busy.
  let acceptRate: Double
  private let transport: TransportMetrics
  private let delivery: DeliveryMetrics
  private let lags: [LoopLag]
  private let broker: any Broker
  /// In bytes; 0 where it is not known.
  private let memoryLimit: Int
  private let state = NIOLockedValueBox(State())

  /// - Parameter lags: one for each event loop, being timed.
  init(
    settings: NodeSettings,
    metrics: NodeMetrics,
    lags: [LoopLag],
    broker: any Broker,
    memoryLimit: Int? = nil
  ) {
    acceptRate = Double(settings.acceptRatePerSecond)
    gate = AcceptGate(rate: acceptRate, burst: settings.acceptBurstSize)
    transport = metrics.transport
    delivery = metrics.delivery
    self.lags = lags
    self.broker = broker
    self.memoryLimit = memoryLimit ?? settings.memoryBound
  }

  /// Called once a second, from one place at a time.
  func secondPassed(now: NIODeadline = .now()) {
    let reading = lags.map { $0.read(now: now) }.reduce(into: LoopLag.Reading()) { all, one in
      all.worst = max(all.worst, one.worst)
      all.sum += one.sum
      all.count += one.count
    }
    let memory = ProcessUsage.read().residentBytes
    let counts = Counts(
      at: now,
      messagesIn: transport.publishes.value,
      messagesOut: delivery.deliveries.value,
      connects: transport.connects.value
    )
    let lag = reading.count == 0 ? 0 : Double(reading.sum) / Double(reading.count) / 1e6
    let part = memoryLimit > 0 ? Double(memory) / Double(memoryLimit) : 0
    gate.setRate(acceptRate * AcceptScale.factor(lagMS: lag, memory: part), now: now)
    let spare = AcceptScale.spare(queueSeconds: gate.queueSeconds(now: now))
    state.withLockedValue { state in
      state.counts = (state.counts + [counts]).suffix(NodeMeter.span + 1)
      state.lags = (state.lags + [reading]).suffix(NodeMeter.span)
      state.memory = memory
      state.spare = spare
      _ = state.pressure.measured(part)
      guard let first = state.counts.first, first.at < now else { return }
      let seconds = Double((now - first.at).nanoseconds) / 1e9
      state.load.messagesIn = Double(counts.messagesIn - first.messagesIn) / seconds
      state.load.messagesOut = Double(counts.messagesOut - first.messagesOut) / seconds
      state.load.connects = Double(counts.connects - first.connects) / seconds
      state.load.lagMS = Double(state.lags.map(\.worst).max() ?? 0) / 1e6
    }
  }

  /// What its memory, as it was at the last second, asks for.
  var pressure: MemoryPressure.Level { state.withLockedValue { $0.pressure.level } }

  /// How it fares, rates and lag as they were at the last second.
  var load: NodeLoad {
    var load = state.withLockedValue { state in
      var load = state.load
      load.memory = state.memory
      load.acceptRate = gate.rate * state.spare
      return load
    }
    let health = broker.health
    load.canPublish = health.canPublish
    load.isFed = health.isFed
    load.problem = health.problem
    load.faults = NodeLoad.Faults(broker.metrics)
    load.resumes = Int(clamping: delivery.resumes.value)
    load.resumeReads = Int(clamping: delivery.resumeReads.value)
    return load
  }
}
