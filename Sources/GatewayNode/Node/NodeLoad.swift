internal import Brokering
internal import NIOCore
private import Telemetry
internal import Wire

/// What a node does and how it fares, as it says it to the cluster.
struct NodeLoad: Equatable {
  /// Messages a second that were published here, and that were written to subscribers.
  var messagesIn = 0.0
  var messagesOut = 0.0
  /// Connections a second that were let in to be held.
  var connects = 0.0
  /// Resident memory, in bytes.
  var memory = 0
  /// The worst lag of an event loop in the last seconds.
  var lagMS = 0.0
  /// Connections a second that the node can take at present: it lets so many in, but for those who wait for a turn.
  var acceptRate = 0.0
  /// Whether it can publish, and whether the feed is proved alive.
  var canPublish = false
  var isFed = false
  /// Why not.
  var problem: String?
  var faults = Faults()
  /// Subscribes with a position since the start, and the reads of Redis that they caused.
  var resumes = 0
  var resumeReads = 0

  /// What went wrong with Redis since the start.
  struct Faults: Equatable {
    /// Circuit breakers that are not closed now.
    var breakersOpen = 0
    var timeouts = 0
    /// Commands not sent, and writes that Redis did not take.
    var refused = 0
    var reconnects = 0
  }

  /// Reads of Redis for each thousand resumes; 0 while there are none.
  var readsPerThousandResumes: Double {
    resumes == 0 ? 0 : Double(resumeReads) * 1_000 / Double(resumes)
  }
}

extension NodeLoad {
  /// Writes its members into an open object.
  func write(to bytes: inout ByteBuffer) {
    bytes.writeMember("rates") { bytes in
      bytes.openObject()
      bytes.writeMember("messages_in", messagesIn)
      bytes.writeMember("messages_out", messagesOut)
      bytes.writeMember("connects", connects)
      bytes.closeObject()
    }
    bytes.writeMember("memory_bytes", memory)
    bytes.writeMember("loop_lag_ms", lagMS)
    bytes.writeMember("accept_rate", acceptRate)
    bytes.writeMember("health") { bytes in
      bytes.openObject()
      bytes.writeMember("publish", canPublish)
      bytes.writeMember("feed", isFed)
      if let problem { bytes.writeMember("problem", problem) }
      bytes.writeMember("breakers_open", faults.breakersOpen)
      bytes.writeMember("timeouts", faults.timeouts)
      bytes.writeMember("refused", faults.refused)
      bytes.writeMember("reconnects", faults.reconnects)
      bytes.closeObject()
    }
    bytes.writeMember("resumes") { bytes in
      bytes.openObject()
      bytes.writeMember("total", resumes)
      bytes.writeMember("redis_reads", resumeReads)
      bytes.writeMember("reads_per_thousand", readsPerThousandResumes)
      bytes.closeObject()
    }
  }

  /// What is missing is 0: another version may not say it.
  init(_ object: JSONObject) {
    let rates = object["rates"]?.object
    messagesIn = rates?["messages_in"]?.number ?? 0
    messagesOut = rates?["messages_out"]?.number ?? 0
    connects = rates?["connects"]?.number ?? 0
    memory = Int(object["memory_bytes"]?.integer ?? 0)
    lagMS = object["loop_lag_ms"]?.number ?? 0
    acceptRate = (object["accept_rate"]?.number ?? 0).clamped(to: 0...1e9)
    let health = object["health"]?.object
    canPublish = health?["publish"]?.bool ?? false
    isFed = health?["feed"]?.bool ?? false
    problem = health?["problem"]?.string
    faults.breakersOpen = Int(health?["breakers_open"]?.integer ?? 0)
    faults.timeouts = Int(health?["timeouts"]?.integer ?? 0)
    faults.refused = Int(health?["refused"]?.integer ?? 0)
    faults.reconnects = Int(health?["reconnects"]?.integer ?? 0)
    let resumes = object["resumes"]?.object
    self.resumes = Int(resumes?["total"]?.integer ?? 0)
    resumeReads = Int(resumes?["redis_reads"]?.integer ?? 0)
  }
}

extension ByteBuffer {
  /// A number with one decimal, where there is one.
  mutating func writeMember(_ name: StaticString, _ number: Double) {
    let tenths = Int((min(max(number, -1e15), 1e15) * 10).rounded())
    let sign = tenths < 0 ? "-" : ""
    let (whole, rest) = abs(tenths).quotientAndRemainder(dividingBy: 10)
    writeMember(name) { $0.writeString(rest == 0 ? "\(sign)\(whole)" : "\(sign)\(whole).\(rest)") }
  }
}

extension NodeLoad.Faults {
  init(_ metrics: BrokerMetrics) {
    breakersOpen = metrics.breakersOpen.value
    timeouts = Int(clamping: metrics.timeouts.value)
    refused = [metrics.shortCircuited, metrics.crowdedOut, metrics.refusedByStore].reduce(0) {
      $0 + Int(clamping: $1.value)
    }
    reconnects = Int(clamping: metrics.reconnects.value)
  }
}
