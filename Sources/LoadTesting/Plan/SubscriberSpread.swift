#if canImport(Glibc)
  private import Glibc
#elseif canImport(Musl)
  private import Musl
#else
  private import Darwin
#endif

/// How clients are spread over channels.
public enum SubscriberSpread: Sendable, Equatable, CustomStringConvertible {
  /// Each client follows one channel and all channels have as many, or, with more channels than clients, each
  /// channel has one client.
  case even
  /// Each channel has exactly so many clients.
  case fixed(Int)
  /// Each client follows one channel, and the channel of rank r has a share of 1/r^exponent of them.
  case zipf(Double)

  /// `even`, a number, or `zipf:EXPONENT`; nil when `text` is none of them.
  public init?(_ text: String) {
    if text == "even" {
      self = .even
    } else if text.hasPrefix("zipf:"), let exponent = Double(text.dropFirst(5)), (0...10).contains(exponent) {
      self = .zipf(exponent)
    } else if let count = Int(text), count > 0 {
      self = .fixed(count)
    } else {
      return nil
    }
  }

  public var description: String {
    switch self {
    case .even: "even"
    case .fixed(let count): "\(count)"
    case .zipf(let exponent): "zipf:\(exponent)"
    }
  }

  /// How many channels one client gets, at the most.
  public func mostChannels(clients: Int, channels: Int) -> Int {
    let each =
      switch self {
      case .even: 1
      case .fixed(let count): min(count, clients)
      case .zipf: 0
      }
    let (places, tooMany) = channels.multipliedReportingOverflow(by: each)
    return tooMany ? channels : max(1, (places - 1) / clients + 1)
  }

  /// The channels of each client, by their number.
  public func dealt(clients: Int, channels: Int) -> [[Int]] {
    switch self {
    case .even:
      return (0..<clients).map { client in
        clients >= channels ? [client % channels] : Array(stride(from: client, to: channels, by: clients))
      }
    case .fixed(let count):
      var dealt = Array(repeating: [Int](), count: clients)
      for channel in 0..<channels {
        for place in 0..<min(count, clients) { dealt[(channel * count + place) % clients].append(channel) }
      }
      return dealt
    case .zipf(let exponent):
      let weights = (1...channels).map { 1 / pow(Double($0), exponent) }
      return Shares.whole(weights, of: clients).enumerated().flatMap { channel, count in
        Array(repeating: [channel], count: count)
      }
    }
  }
}
