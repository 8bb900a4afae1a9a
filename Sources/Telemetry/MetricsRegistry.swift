private import Synchronization

/// Every number that a scrape shows.
///
/// Handles are made at start, labels rendered then. Asking again for the same name and labels gives another
/// handle, and a scrape shows the sum of both: each event loop counts in its own cache line.
public final class MetricsRegistry: Sendable {
  /// Label names and values in the order in which they are shown.
  public typealias Labels = KeyValuePairs<String, String>

  private let families = Mutex<[Family]>([])

  public init() {}

  /// A number that only grows; its name ends in `_total`.
  public func counter(_ name: String, help: String, labels: Labels = [:]) -> Counter {
    let counter = Counter()
    add(.counter, name, help, labels, .counter(counter))
    return counter
  }

  /// Shows a counter that was made elsewhere.
  public func add(_ counter: Counter, _ name: String, help: String, labels: Labels = [:]) {
    add(.counter, name, help, labels, .counter(counter))
  }

  /// Shows a gauge that was made elsewhere.
  public func add(_ gauge: Gauge, _ name: String, help: String, labels: Labels = [:]) {
    add(.gauge, name, help, labels, .gauge(gauge))
  }

  /// A counter kept elsewhere, read at each scrape, on the scrape's thread.
  public func counter(
    _ name: String,
    help: String,
    labels: Labels = [:],
    read: @escaping @Sendable () -> Double
  ) {
    add(.counter, name, help, labels, .callback(read))
  }

  /// A number that goes up and down.
  public func gauge(_ name: String, help: String, labels: Labels = [:]) -> Gauge {
    let gauge = Gauge()
    add(.gauge, name, help, labels, .gauge(gauge))
    return gauge
  }

  /// A level read at each scrape, on the scrape's thread; left out of one at which it is not known.
  public func gauge(
    _ name: String,
    help: String,
    labels: Labels = [:],
    read: @escaping @Sendable () -> Double?
  ) {
    add(.gauge, name, help, labels, .callback(read))
  }

  /// The distribution of a value over `buckets`, which are upper bounds and ascend. All histograms of one name
  /// have the same buckets.
  public func histogram(
    _ name: String,
    help: String,
    labels: Labels = [:],
    buckets: [Double]
  ) -> Histogram {
    let histogram = Histogram(bounds: buckets)
    add(.histogram, name, help, labels, .histogram(histogram))
    return histogram
  }

  func snapshot() -> [Family] {
    families.withLock { $0 }
  }

  private func add(_ kind: Family.Kind, _ name: String, _ help: String, _ labels: Labels, _ source: Source) {
    precondition(MetricsRegistry.isName(name), "\(name) is no metric name")
    precondition(
      labels.allSatisfy { MetricsRegistry.isName($0.key) && !$0.key.contains(":") && $0.key != "le" },
      "a label of \(name) has no label name"
    )
    let rendered = labels.map { "\($0.key)=\"\(MetricsRegistry.escaped($0.value, quotes: true))\"" }
      .joined(separator: ",")
    families.withLock { families in
      guard let index = families.firstIndex(where: { $0.name == name }) else {
        families.append(
          Family(name: name, help: help, kind: kind, series: [Series(labels: rendered, sources: [source])])
        )
        return
      }
      precondition(families[index].kind == kind, "\(name) is a \(families[index].kind.rawValue) already")
      families[index].add(source, labels: rendered)
    }
  }

  /// Metric names as the exposition format has them.
  private static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
      return false
    }
    return text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: ":"):
        true
      default: false
      }
    }
  }

  static func escaped(_ text: String, quotes: Bool) -> String {
    var result = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }
}

extension MetricsRegistry {
  /// All series of one name.
  struct Family: Sendable {
    enum Kind: String, Sendable {
      case counter, gauge, histogram
    }

    var name: String
    var help: String
    var kind: Kind
    var series: [Series]

    mutating func add(_ source: Source, labels: String) {
      guard let index = series.firstIndex(where: { $0.labels == labels }) else {
        series.append(Series(labels: labels, sources: [source]))
        return
      }
      series[index].sources.append(source)
    }
  }

  /// One line of a scrape, or one histogram: the sum of its sources.
  struct Series: Sendable {
    /// `name="value"`, comma-separated, without braces.
    var labels: String
    var sources: [Source]
  }

  enum Source: Sendable {
    case counter(Counter)
    case gauge(Gauge)
    case callback(@Sendable () -> Double?)
    case histogram(Histogram)
  }
}
