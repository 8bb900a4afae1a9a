import NIOCore
import NIOHTTP1
import SluiceClient

/// Asks the operator listeners each second how the nodes are.
actor NodeWatch {
  private let places: [OperatorPlace]
  private var views: [String: NodeView] = [:]
  private var used: [String: (incarnation: String, seconds: Double, at: NIODeadline)] = [:]
  private(set) var series: [String: NodeSeries] = [:]
  /// The fastest that a drain has sent sessions away, a second.
  private(set) var fastestDrain = 0.0
  /// Looks that were begun, and the last whose answer was taken: two may overlap.
  private var begun = 0
  private var taken = 0
  /// What drains had to close, by process.
  private var forced: [String: Int] = [:]

  init(_ places: [OperatorPlace]) {
    self.places = places
  }

  var forcedCount: Int { forced.values.reduce(0, +) }

  /// Looks once.
  /// - Returns: what has changed, in words, with what kind of change it is.
  func look(_ seconds: @Sendable () async -> Double) async -> [(kind: LoadMark.Kind, text: String)] {
    begun += 1
    let look = begun
    guard let found = await NodeWatch.nodes(places) else { return [] }
    var cores: [String: Double] = [:]
    for place in places {
      guard let answer = try? await place.send(.GET, "/metrics"), answer.status == .ok,
        let process = ProcessView(String(buffer: answer.body))
      else { continue }
      let now = NIODeadline.now()
      if let before = used[process.node], before.incarnation == process.incarnation {
        let elapsed = Double((now - before.at).nanoseconds) / 1_000_000_000
        if elapsed > 0 { cores[process.node] = max(0, process.processorSeconds - before.seconds) / elapsed }
      }
      used[process.node] = (process.incarnation, process.processorSeconds, now)
    }
    let at = await seconds()
    guard look > taken else { return [] }
    taken = look
    var changes: [(kind: LoadMark.Kind, text: String)] = []
    for view in found {
      fastestDrain = max(fastestDrain, view.drainPace)
      forced[view.incarnation] = max(forced[view.incarnation] ?? 0, view.forced)
      changes += NodeWatch.changes(from: views[view.node], to: view)
      views[view.node] = view
      series[view.node, default: NodeSeries(node: view.node)].samples.append(
        NodeSeries.Sample(
          atS: at,
          state: view.state,
          connections: view.connections,
          cores: cores[view.node],
          rss: view.memory
        )
      )
    }
    return changes
  }

  private static func changes(
    from old: NodeView?,
    to new: NodeView
  ) -> [(kind: LoadMark.Kind, text: String)] {
    guard let old else { return [] }
    if old.incarnation != new.incarnation {
      return [(.drain, "\(new.node) is a new process, \(new.state)")]
    }
    guard old.state != new.state else { return [] }
    return [(new.state == "dead" ? .fault : .drain, "\(new.node) \(new.state)")]
  }

  /// The nodes, as the first listener that answers knows them.
  static func nodes(_ places: [OperatorPlace]) async -> [NodeView]? {
    for place in places {
      if let answer = try? await place.send(.GET, "/v1/nodes"), answer.status == .ok,
        let list = NodeView.list(answer.body)
      {
        return list
      }
    }
    return nil
  }

  /// Measured from another moment on.
  func shift(by seconds: Double) {
    for name in series.keys {
      for index in series[name]!.samples.indices { series[name]!.samples[index].atS -= seconds }
    }
  }
}
