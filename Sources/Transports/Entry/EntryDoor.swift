public import Admission
public import NIOCore
import Telemetry
import Wire

/// Counts the connections of a listener from their first moment to their last, and turns away those that are too many.
public struct EntryDoor: Sendable {
  public let ledger: ConnectionLedger
  private let courtesy: Int
  /// Whether an address is one of a proxy, whose connections say nothing of the clients behind it.
  private let isProxy: @Sendable (SocketAddress) -> Bool
  private let refused: RefusalMetrics
  private let leaving = Gauge()

  /// - Parameter courtesy: refused connections that may be there at once to be told so; beyond, they are closed without
  ///   a word.
  public init(
    _ ledger: ConnectionLedger,
    courtesy: Int,
    refused: RefusalMetrics,
    isProxy: @escaping @Sendable (SocketAddress) -> Bool
  ) {
    self.ledger = ledger
    self.courtesy = courtesy
    self.refused = refused
    self.isProxy = isProxy
  }

  /// Nil when the connection may stay; else what it is to be told.
  /// - Throws: when there is no time for that.
  func enter(_ channel: any Channel) throws -> ClientError? {
    var address: ClientAddress?
    if ledger.countsAddresses, let peer = channel.remoteAddress, !isProxy(peer) {
      address = ClientAddress(peer)
    }
    let refusal: ClientError
    switch ledger.enter(address) {
    case .enter:
      let ledger = ledger
      channel.closeFuture.whenComplete { [address] _ in ledger.leave(address) }
      return nil
    case .full:
      refused.connections.add()
      refusal = ClientError(
        .overloaded,
        "this node has as many connections as it can; try again",
        retryAfterMS: Jitter.roomMS(after: 2_000)
      )
    case .closed:
      refused.memory.add()
      refusal = .lackOfMemory
    case .tooManyOfAddress:
      refused.address.add()
      refusal = ClientError(
        .rateLimited,
        "at most \(ledger.maximumOfAddress) connections of one address",
        retryAfterMS: Jitter.roomMS(after: 5_000)
      )
    }
    guard leaving.value < courtesy else { throw ChannelError.ioOnClosedChannel }
    leaving.add(1)
    channel.closeFuture.whenComplete { [leaving] _ in leaving.add(-1) }
    return refusal
  }
}

extension ClientError {
  /// What is told to whoever is new while memory runs out.
  static var lackOfMemory: ClientError {
    ClientError(
      .overloaded,
      "this node has too little memory left; try again",
      retryAfterMS: Jitter.roomMS(after: 2_000)
    )
  }
}

/// Why a connection may not stay, apart from what it is to the many that may.
final class ConnectionRefusal {
  let error: ClientError

  init(_ error: ClientError) {
    self.error = error
  }
}

@available(*, unavailable) extension ConnectionRefusal: Sendable {}
