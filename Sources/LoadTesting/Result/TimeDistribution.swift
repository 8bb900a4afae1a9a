import Histogram

/// Times in microseconds, up to an hour, to three significant digits: an HdrHistogram that can be written down, read
/// back and joined with others without loss.
public struct TimeDistribution: Sendable {
  private var histogram = Histogram<UInt64>(
    lowestDiscernibleValue: 1,
    highestTrackableValue: TimeDistribution.longest,
    numberOfSignificantValueDigits: .three
  )

  private static let longest: UInt64 = 3_600_000_000

  public init() {}

  public mutating func record(_ microseconds: Int, times: Int = 1) {
    let value = min(UInt64(clamping: microseconds), TimeDistribution.longest)
    histogram.record(value, count: UInt64(clamping: times))
  }

  public mutating func add(_ other: TimeDistribution) {
    histogram.add(other.histogram)
  }

  public var count: Int { Int(histogram.totalCount) }
  /// The longest, to the microsecond.
  public var max: Int { Int(histogram.maxRecorded) }
  public var mean: Double { count == 0 ? 0 : histogram.mean }

  /// - Parameter percent: 0 to 100.
  public func percentile(_ percent: Double) -> Int {
    count == 0 ? 0 : Int(histogram.valueAtPercentile(percent))
  }

  /// Every time that was recorded, to its digits, ascending, and how many; the longest as it was. Recorded again they
  /// make the same distribution.
  public func recorded() -> [(microseconds: Int, count: Int)] {
    var all = histogram.recordedValues().map { (microseconds: Int($0.value), count: Int($0.count)) }
    if !all.isEmpty { all[all.count - 1].microseconds = max }
    return all
  }
}

/// `{"count", "mean_us", "p50_us", "p90_us", "p99_us", "p999_us", "max_us", "buckets": [[value, count], …]}`, where only
/// the buckets are read back.
extension TimeDistribution: Codable {
  private enum CodingKeys: String, CodingKey {
    case count, meanUs, p50Us, p90Us, p99Us, p999Us, maxUs, buckets
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(count, forKey: .count)
    try container.encode(mean.rounded(), forKey: .meanUs)
    try container.encode(percentile(50), forKey: .p50Us)
    try container.encode(percentile(90), forKey: .p90Us)
    try container.encode(percentile(99), forKey: .p99Us)
    try container.encode(percentile(99.9), forKey: .p999Us)
    try container.encode(max, forKey: .maxUs)
    try container.encode(
      recorded().map { [$0.microseconds, $0.count] },
      forKey: .buckets
    )
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    for bucket in try container.decode([[UInt64]].self, forKey: .buckets) {
      guard bucket.count == 2, bucket[0] <= TimeDistribution.longest else {
        throw DecodingError.dataCorruptedError(
          forKey: .buckets,
          in: container,
          debugDescription: "a bucket is [microseconds, count]"
        )
      }
      histogram.record(bucket[0], count: bucket[1])
    }
  }
}
