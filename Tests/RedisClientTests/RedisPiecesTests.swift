import NIOCore
import Testing

@testable import RedisClient

struct RedisPiecesTests {
  @Test func backoffDoublesWithinItsBounds() {
    var backoff = RedisBackoff(minimum: .milliseconds(50), maximum: .seconds(2))
    let pauses = (0..<100).map { _ in backoff.next(jitter: 1).nanoseconds / 1_000_000 }
    #expect(pauses.prefix(5) == [200, 400, 800, 1_600, 2_000])
    #expect(pauses.suffix(95).allSatisfy { $0 == 2_000 })
    backoff.reset()
    #expect(backoff.next(jitter: 0) == .milliseconds(25))
    #expect(backoff.next(jitter: 0) == .milliseconds(200))
  }

  /// Ten nodes with five connections each lose their server in one instant. In no 20 ms comes more than a fair part
  /// of them.
  @Test func nodesDoNotComeBackInTheSameInstant() {
    var chance = SystemRandomNumberGenerator()
    var backoffs = (0..<50).map { _ in RedisBackoff(minimum: .milliseconds(50), maximum: .seconds(2)) }
    var moments = [Double](repeating: 0, count: backoffs.count)
    for round in 0..<6 {
      for index in backoffs.indices {
        let pause = backoffs[index].next(jitter: .random(in: 0...1, using: &chance))
        moments[index] += Double(pause.nanoseconds) / 1e6
      }
      let crowd = moments.map { first in moments.count { $0 >= first && $0 < first + 20 } }.max()!
      // The mean is 6 at most.
      #expect(crowd <= 20, "round \(round): \(moments.sorted())")
    }
  }

  @Test func scriptsAreNamedBySHA1() {
    #expect(RedisScript("return 1").sha1 == "e0e1f9fabfc9d4800c877a703b823ac0578ff8db")
  }

  @Test func lateCommandsKeepTheirPlace() {
    var settings = RedisSettings(address: RedisAddress(host: "h"))
    settings.commandTimeout = .seconds(2)
    settings.maximumPending = 3
    var queue = RedisPendingQueue(settings)
    let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    for second in 0..<3 { queue.append(bytes: 1, now: start + .seconds(Int64(second))) { _ in } }
    #expect(!queue.hasRoom)
    #expect(queue.nextDeadline == start + .seconds(2))
    let early = queue.takeLate(now: start + .milliseconds(1_999))
    #expect(early.dones.isEmpty)
    let one = queue.takeLate(now: start + .seconds(2))
    #expect(one.dones.count == 1)
    #expect(!one.isStuck)
    #expect(queue.nextDeadline == start + .seconds(3))
    // Its answer comes after all: the next one is still awaited.
    let first = queue.answerFirst(now: start + .seconds(2))
    #expect(first != nil)
    #expect(first! == nil)
    #expect(queue.hasRoom)
    #expect(queue.nextDeadline == start + .seconds(3))
    let two = queue.takeLate(now: start + .seconds(5))
    #expect(two.dones.count == 2)
    #expect(two.isStuck)
    #expect(queue.takeAll().isEmpty)
    #expect(queue.answerFirst(now: start + .seconds(5)) == nil)
  }

  @Test func silenceIsNoAnswerAtAll() {
    var queue = RedisPendingQueue(RedisSettings(address: RedisAddress(host: "h")))
    let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    #expect(queue.silence(now: start) == .zero)
    for second in 0..<3 { queue.append(bytes: 1, now: start + .seconds(Int64(second))) { _ in } }
    #expect(queue.silence(now: start + .seconds(2)) == .seconds(2))
    // Also of one that has failed for it.
    _ = queue.takeLate(now: start + .seconds(3))
    #expect(queue.silence(now: start + .seconds(3)) == .seconds(3))
    // What answers is slow, but not silent.
    _ = queue.answerFirst(now: start + .seconds(9))
    #expect(queue.silence(now: start + .seconds(10)) == .seconds(1))
    _ = queue.takeAll()
    #expect(queue.silence(now: start + .seconds(20)) == .zero)
  }

  @Test func greetsAsTheURLSays() throws {
    #expect(RedisGreeting(try RedisSettings(url: "redis://h")).commands == [["PING"]])
    #expect(
      RedisGreeting(try RedisSettings(url: "redis://u:p@h/4")).commands == [
        ["AUTH", "u", "p"], ["SELECT", 4], ["PING"],
      ]
    )
    #expect(RedisGreeting(try RedisSettings(url: "redis://:p@h")).commands == [["AUTH", "p"], ["PING"]])
    #expect(
      RedisGreeting(try RedisSettings(url: "redis://h"), asksRole: true).commands == [["ROLE"], ["PING"]]
    )
  }

  @Test func errorsSayWhatToDo() {
    let replica = RedisError(RedisServerError(line: "READONLY You can't write against a read only replica."))
    #expect(replica.description.contains("primary"))
    #expect(!replica.mayHaveRun)
    #expect(RedisError(RedisServerError(line: "LOADING Redis is loading the dataset in memory")) == .loading)
    #expect(
      RedisError(RedisServerError(line: "MASTERDOWN Link with MASTER is down")).description.contains(
        "primary"
      )
    )
    // Before version 7, what a script was answered.
    let script = "ERR Error running script (call to f_0a1b): @user_script:1: "
    for word in ["OOM", "READONLY", "MISCONF", "NOREPLICAS"] {
      let error = RedisServerError(line: "\(script)-\(word) not at the moment: -ERR")
      #expect(error == RedisServerError(prefix: word, message: "not at the moment: -ERR"))
      #expect(RedisError(error).refusesWrites)
    }
    #expect(
      RedisError(RedisServerError(line: "\(script)@user_script: 1: -LOADING Redis is loading")) == .loading
    )
    for line in [
      "\(script)-ERR wrong type", "\(script)-OOMPH", "\(script)attempt to call nil", "ERR x: -OOM y",
    ] {
      let error = RedisServerError(line: line)
      #expect(error.prefix == "ERR")
      #expect(!RedisError(error).refusesWrites)
    }
    #expect(RedisError.timeout("x").mayHaveRun)
    #expect(!RedisError.notConnected(because: "x").mayHaveRun)
  }
}
