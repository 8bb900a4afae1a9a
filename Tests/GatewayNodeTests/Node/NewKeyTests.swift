import Admission
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing
import Wire

/// Tokens of keys that come while a node runs.
@Suite struct NewKeyTests {
  private func key(_ number: Int, id: String? = nil) throws -> TokenKey {
    var key = try #require(TokenKey.read(Array("secret number \(number) of more than 32 bytes!!".utf8)).first)
    key.id = id
    return key
  }

  /// Whoever had the key come, every token that waited for it is looked at again, also one that names none, or has the
  /// name that an older key has.
  @Test(arguments: [(nil, nil), (nil, "new"), ("same", "same")] as [(String?, String?)])
  func aTokenOfANewKeyIsLookedAtAgain(oldID: String?, id: String?) async throws {
    let old = try key(1, id: oldID)
    let new = try key(2, id: id)
    let verifier = TokenVerifier(try await TokenKeys(opening: [old]), rules: TokenRules())
    let both = try await TokenKeys(opening: [old, new])
    var wish = TokenMaker.Wish()
    wish.expires = WallClock.milliseconds() / 1_000 + 600
    let token = try await TokenMaker(new).token(wish)
    let asked = NIOLockedValueBox(0)
    verifier.whenKeyIsUnknown { [weak verifier] loop, done in
      let isSecond = asked.withLockedValue { count in
        count += 1
        return count == 2
      }
      if isSecond { verifier?.replaceKeys(both) }
      loop.execute(done)
    }
    for (number, isGood) in [(1, false), (2, true), (2, true)] {
      let loop = MultiThreadedEventLoopGroup.singleton.any()
      let promise = loop.makePromise(of: Bool.self)
      loop.execute {
        verifier.verify(token, on: loop) { result in promise.succeed((try? result.get()) != nil) }
      }
      #expect(try await promise.futureResult.get() == isGood)
      #expect(asked.withLockedValue { $0 } == number)
    }
  }
}
