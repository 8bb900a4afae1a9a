public import SluiceClient
public import Wire

/// The judge of correctness: what publishers were told is stored, against what each subscriber received.
///
/// First everything that was acknowledged, then each subscriber's journal, then the verdict. Every publish must
/// have had a payload of its own. Subscribers must have had time to catch up: what was acknowledged and has
/// not arrived counts as lost.
public struct DeliveryChecker: Sendable {
  private var logs: [ChannelName: ChannelLog] = [:]
  private var found = DeliveryVerdict()

  public init() {}

  /// A publish was answered.
  public mutating func acknowledged(_ channel: ChannelName, _ cursor: Cursor, _ identity: PayloadIdentity) {
    found.acknowledged += 1
    if logs[channel, default: ChannelLog()].acknowledge(cursor, identity) != nil {
      found.found(.wrongPayload, "\(channel): \(cursor) was acknowledged for two payloads")
    }
  }

  /// The newest that was acknowledged; where a subscriber that has caught up stands.
  public func tail(of channel: ChannelName) -> Cursor? {
    guard let log = logs[channel], let epoch = log.order.last else { return nil }
    return log.numberings[epoch]?.lastAcknowledged.map { Cursor(epoch, $0) }
  }

  /// What a witness saw for subscribers whose tracks do not say it: the identities from an offset on, 0 for none.
  public mutating func seen(
    _ channel: ChannelName,
    _ epoch: Epoch,
    from first: UInt64,
    _ identities: [UInt64]
  ) {
    var log = logs.removeValue(forKey: channel) ?? ChannelLog()
    let known = log.numberings[epoch]
    for (index, identity) in identities.enumerated() where identity != 0 {
      let cursor = Cursor(epoch, first + UInt64(index))
      let identity = PayloadIdentity(value: identity)
      if known?[cursor.offset] != identity, log.see(cursor, identity) != nil {
        found.found(
          .wrongPayload,
          "\(channel): \(cursor) arrived as another payload than was published there"
        )
      }
    }
    logs[channel] = log
  }

  /// Compares one subscriber with the logs.
  public mutating func check(_ journal: DeliveryJournal) {
    found.subscribers += 1
    found.complaints += journal.complaints.map { "\(journal.subscriber): \($0)" }
    for track in journal.tracks {
      logs[track.channel] = TrackWalk.run(
        track,
        of: journal.subscriber,
        against: logs.removeValue(forKey: track.channel) ?? ChannelLog(),
        into: &found
      )
    }
  }

  /// What was found, with what the logs say of themselves.
  /// - Parameter withLogs: false where another checker of the same logs says that.
  public func verdict(withLogs: Bool = true) -> DeliveryVerdict {
    var verdict = found
    guard withLogs else { return verdict }
    for (channel, log) in logs {
      for (epoch, numbering) in log.numberings {
        for (first, again) in numbering.repetitions() {
          let line =
            "\(channel): one publish is stored as \(Cursor(epoch, first)) and \(Cursor(epoch, again))"
          verdict.found(.duplicated, line)
        }
      }
    }
    return verdict
  }
}
