import SluiceClient
import Wire

/// Follows one subscriber through one channel and compares it with the log.
struct TrackWalk {
  /// Offsets passed over without a word. A late arrival fills it.
  private struct Hole {
    var epoch: Epoch
    var range: ClosedRange<UInt64>
    var evidence: String
    /// What is left of it after late arrivals; nil when there were none.
    var missing: Set<UInt64>?
  }

  /// Wider ones are not waited for to be filled.
  private static let widestHole = UInt64(1) << 20

  private let name: String
  private var log: ChannelLog
  private var position: Cursor?
  private var holes: [Hole] = []
  private var isStopped = false
  private var wasTold = false
  private var count = 0

  /// The log with what this walk has seen added.
  static func run(
    _ track: ChannelTrack,
    of subscriber: String,
    against log: consuming ChannelLog,
    into verdict: inout DeliveryVerdict
  ) -> ChannelLog {
    var walk = TrackWalk(name: "\(subscriber), \(track.channel)", log: log)
    walk.follow(track, into: &verdict)
    return walk.log
  }

  private init(name: String, log: consuming ChannelLog) {
    self.name = name
    self.log = log
  }

  private mutating func follow(_ track: ChannelTrack, into verdict: inout DeliveryVerdict) {
    for entry in track.entries {
      switch entry {
      case .started(let cursor):
        if position == nil { position = cursor }
      case .messages(let first, let count):
        if !track.identities.isEmpty {
          compare(first, track.identities[self.count..<(self.count + count)], into: &verdict)
        }
        self.count += count
        messages(first, count, into: &verdict)
      case .differed(let cursor):
        verdict.found(.wrongPayload, "\(name): \(cursor) is not what others received there")
      case .gap(let gap):
        told(gap, into: &verdict)
      case .misplaced(let asked, let answered):
        verdict.found(
          .undetectedGap,
          "\(name): asked to go on from \(asked), goes on from \(answered) as resumed"
        )
      case .resumed: break
      case .stopped: isStopped = true
      }
    }
    settle(into: &verdict)
  }

  private mutating func messages(
    _ first: Cursor,
    _ count: Int,
    into verdict: inout DeliveryVerdict
  ) {
    verdict.deliveries += count
    let last = first.offset + UInt64(count) - 1
    guard let position else {
      self.position = Cursor(first.epoch, last)
      return verdict.found(.undetectedGap, "\(name): \(first) before it was subscribed")
    }
    if position.epoch != first.epoch {
      let evidence = "\(name): \(position) is followed by \(first)"
      holes.append(Hole(epoch: position.epoch, range: (position.offset + 1)...(.max), evidence: evidence))
      if first.offset > 1 {
        holes.append(Hole(epoch: first.epoch, range: 1...(first.offset - 1), evidence: evidence))
      }
      self.position = Cursor(first.epoch, last)
      return
    }
    if first.offset > position.offset + 1 {
      let evidence = "\(name): \(position) is followed by \(first)"
      let range = (position.offset + 1)...(first.offset - 1)
      holes.append(Hole(epoch: first.epoch, range: range, evidence: evidence))
    }
    if first.offset <= position.offset {
      for offset in first.offset...min(last, position.offset) {
        again(Cursor(first.epoch, offset), after: position, into: &verdict)
      }
    }
    self.position = Cursor(first.epoch, max(last, position.offset))
  }

  /// A message that is not after the position: late, or a second time.
  private mutating func again(_ cursor: Cursor, after position: Cursor, into verdict: inout DeliveryVerdict) {
    for index in holes.indices where holes[index].epoch == cursor.epoch {
      let range = holes[index].range
      guard range.contains(cursor.offset), range.upperBound - range.lowerBound < TrackWalk.widestHole else {
        continue
      }
      var missing = holes[index].missing ?? Set(holes[index].range)
      guard missing.remove(cursor.offset) != nil else { continue }
      holes[index].missing = missing
      return verdict.found(.reordered, "\(name): \(cursor) after \(position)")
    }
    verdict.found(.duplicated, "\(name): \(cursor) again after \(position)")
  }

  private mutating func compare(
    _ first: Cursor,
    _ identities: ArraySlice<PayloadIdentity>,
    into verdict: inout DeliveryVerdict
  ) {
    var offset = first.offset
    let known = log.numberings[first.epoch]
    for identity in identities {
      let cursor = Cursor(first.epoch, offset)
      if known?[offset] != identity, log.see(cursor, identity) != nil {
        verdict.found(
          .wrongPayload,
          "\(name): \(cursor) is not what was published or received by others there"
        )
      }
      offset += 1
    }
  }

  private mutating func told(_ gap: Gap, into verdict: inout DeliveryVerdict) {
    verdict.gaps[gap.reason, default: 0] += 1
    if let position, gap.from != position {
      if gap.from.epoch == position.epoch, gap.from.offset > position.offset {
        let evidence = "\(name): a gap says from \(gap.from), but the position was \(position)"
        holes.append(
          Hole(epoch: position.epoch, range: (position.offset + 1)...gap.from.offset, evidence: evidence)
        )
      } else {
        verdict.found(.misstatedGap, "\(name): a gap says from \(gap.from), but the position was \(position)")
      }
    }
    if gap.from.epoch == gap.to.epoch {
      if gap.to.offset > gap.from.offset {
        verdict.announcedMissing +=
          log.acknowledged(gap.to.epoch, in: (gap.from.offset + 1)...gap.to.offset).count
      }
    } else {
      verdict.announcedMissing += log.acknowledged(gap.from.epoch, in: (gap.from.offset + 1)...(.max)).count
      if gap.to.offset > 0 {
        verdict.announcedMissing += log.acknowledged(gap.to.epoch, in: 1...gap.to.offset).count
      }
    }
    position = gap.to
    wasTold = true
  }

  private func settle(into verdict: inout DeliveryVerdict) {
    var lastEvidence: String?
    for hole in holes {
      if let missing = hole.missing, missing.isEmpty { continue }
      if hole.evidence != lastEvidence { verdict.found(.undetectedGap, hole.evidence) }
      lastEvidence = hole.evidence
      let lost = log.acknowledged(hole.epoch, in: hole.range)
        .filter { hole.missing?.contains($0.offset) ?? true }
      verdict.found(.lost, "\(described(lost)), for \(hole.evidence)", times: lost.count)
    }
    guard let position, !isStopped else {
      if position == nil, !isStopped, !log.order.isEmpty {
        verdict.found(.lost, "\(name): it was never subscribed")
      }
      return
    }
    var owed = log.acknowledged(position.epoch, in: (position.offset + 1)...(.max))
    let later =
      log.order.contains(position.epoch) || wasTold ? log.epochs(after: position.epoch) : log.order[...]
    for epoch in later { owed += log.acknowledged(epoch, in: 1...(.max)) }
    verdict.found(.lost, "\(name): \(described(owed)) after its last position \(position)", times: owed.count)
  }

  private func described(_ cursors: [Cursor]) -> String {
    guard let first = cursors.first, let last = cursors.last else { return "nothing" }
    return cursors.count == 1 ? "\(first)" : "\(cursors.count) from \(first) to \(last)"
  }
}
