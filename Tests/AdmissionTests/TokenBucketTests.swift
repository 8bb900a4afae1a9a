import Admission
import NIOCore
import Testing

@Suite struct TokenBucketTests {
  private let start = NIODeadline.uptimeNanoseconds(5_000_000_000)
  private let rate = TokenBucket.Rate(perSecond: 10, burst: 5)

  @Test func theBurstIsThereAtOnceAndTheNextAtTheRate() {
    var bucket = TokenBucket()
    for _ in 0..<5 { #expect(bucket.take(at: rate, now: start) == nil) }
    #expect(bucket.take(at: rate, now: start) == 100)
    #expect(bucket.take(at: rate, now: start + .milliseconds(60)) == 40)
    #expect(bucket.take(at: rate, now: start + .milliseconds(100)) == nil)
    #expect(bucket.take(at: rate, now: start + .milliseconds(100)) == 100)
  }

  @Test func itHoldsNoMoreThanTheBurst() {
    var bucket = TokenBucket()
    let taken = (0..<100).count { _ in bucket.take(at: rate, now: start + .hours(9)) == nil }
    #expect(taken == 5)
  }

  @Test func whatIsRefusedCostsNothing() {
    var bucket = TokenBucket()
    _ = bucket.take(5, at: rate, now: start)
    for _ in 0..<1_000 { #expect(bucket.take(2, at: rate, now: start) == 200) }
    #expect(bucket.take(2, at: rate, now: start + .milliseconds(200)) == nil)
  }

  @Test func moreThanItHoldsIsTakenFromAFullOne() {
    var bucket = TokenBucket()
    #expect(bucket.take(50, at: rate, now: start) == nil)
    #expect(bucket.take(1, at: rate, now: start) == 4_600)
    #expect(!bucket.isFull(now: start + .milliseconds(4_999)))
    #expect(bucket.isFull(now: start + .seconds(5)))
  }

  @Test func chargesMakeADebtThatTimePays() {
    var bucket = TokenBucket()
    bucket.charge(5, at: rate, now: start)
    #expect(bucket.debt(at: rate, now: start) == 0)
    #expect(bucket.wait(at: rate, now: start) == nil)
    bucket.charge(20, at: rate, now: start)
    #expect(bucket.debt(at: rate, now: start) == 20)
    #expect(bucket.wait(at: rate, now: start) == 2_000)
    #expect(bucket.wait(at: rate, now: start + .milliseconds(1_999)) == 1)
    #expect(bucket.wait(at: rate, now: start + .seconds(2)) == nil)
  }

  @Test func noAmountOverflows() {
    var bucket = TokenBucket()
    for _ in 0..<100 { bucket.charge(.max, at: rate, now: start) }
    #expect(bucket.debt(at: rate, now: start) > 1_000_000)
    #expect(bucket.wait(at: rate, now: start)! > 0)
  }
}
