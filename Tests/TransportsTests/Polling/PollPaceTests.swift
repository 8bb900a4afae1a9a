import NIOCore
import Testing

@testable import Transports

struct PollPaceTests {
  private func seconds(quiet: Int, lag: TimeAmount = .zero) -> Int {
    PollPace.seconds(quiet: quiet, lag: lag, from: .seconds(2), to: .seconds(30))
  }

  @Test func staysShortWhileMessagesCome() {
    #expect(seconds(quiet: 0) == 2)
    #expect(seconds(quiet: 19) == 2)
  }

  @Test func growsWithSilenceUpToItsBound() {
    #expect(seconds(quiet: 100) == 10)
    #expect(seconds(quiet: 300) == 30)
    #expect(seconds(quiet: 86_400) == 30)
  }

  @Test func growsUnderLoad() {
    #expect(seconds(quiet: 0, lag: .milliseconds(100)) == 4)
    #expect(seconds(quiet: 0, lag: .seconds(10)) == 30)
  }

  @Test func isNeverLessThanASecond() {
    #expect(PollPace.seconds(quiet: 0, lag: .zero, from: .milliseconds(1), to: .milliseconds(1)) == 1)
  }
}
