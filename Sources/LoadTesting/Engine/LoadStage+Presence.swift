import NIOCore
import SluiceClient
import Wire

extension LoadStage {
  /// Within which presence must be true.
  private static let soon = TimeAmount.seconds(15)

  /// Members leave and others come, until the time is over; then everyone must know who is there.
  func comeAndGo() async throws {
    try await agree("at the beginning", isTimed: false)
    let end = NIODeadline.now() + plan.duration
    var due = 0.0
    while .now() < end, !control.isEnding {
      try await pause(.milliseconds(500))
      due += plan.churn * Double(fleet.count) / 2
      try await fleet.renew(Int(due), using: &random)
      due -= due.rounded(.down)
    }
    try await agree("at the end", isTimed: true)
    judgeWhatWasHeard()
  }

  private func agree(_ when: String, isTimed: Bool) async throws {
    let start = NIODeadline.now()
    var expected: Set<Seat> = []
    let count = cast.clients.reduce(0) { $0 + $1.channels.count }
    let areTrue = try await wait(LoadStage.soon, every: .milliseconds(50)) {
      expected = try await fleet.seats()
      return expected.count == count && watchers.allSatisfy { $0.present == expected }
    }
    if areTrue {
      if isTimed { figure("presence true after", LoadPlan.words(.now() - start)) }
    } else if !control.isEnding {
      for (number, watcher) in watchers.enumerated() where watcher.present != expected {
        let more = watcher.present.subtracting(expected).count
        let fewer = expected.subtracting(watcher.present).count
        fail("\(when) watcher \(number) names \(more) members who are not there, and misses \(fewer) who are")
      }
    }
  }

  /// Each comes once and goes once.
  private func judgeWhatWasHeard() {
    for (number, watcher) in watchers.enumerated() {
      let (joins, leaves) = (watcher.joins, watcher.leaves)
      let again = joins.count - Set(joins).count + leaves.count - Set(leaves).count
      if again > 0 { fail("watcher \(number) heard \(again) joins or leaves a second time") }
      if number == 0 {
        figure("joins heard", "\(joins.count)")
        figure("leaves heard", "\(leaves.count)")
      }
    }
  }
}
