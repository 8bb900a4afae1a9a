import Admission
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing
import Wire

@testable import GatewayNode

/// A set of keys is had from a real server, which may answer anything, or nothing.
@Suite struct KeySetFollowerTests {
  /// Keys for tests: those of RFC 7515 appendix A.3 and RFC 8037 appendix A, and secrets.
  private static let keys = [
    "ecdsa":
      #"{"kty":"EC","crv":"P-256","kid":"ecdsa","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#
      + #""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"@}"#,
    "eddsa":
      #"{"kty":"OKP","crv":"Ed25519","kid":"eddsa","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"@}"#,
    "one":
      #"{"kty":"oct","alg":"HS256","kid":"one","k":"b25lIGtleSB0aGF0IGlzIGxvbmcgZW5vdWdoIGZvciBIUzI1Ng"}"#,
    "two":
      #"{"kty":"oct","alg":"HS256","kid":"two","k":"dHdvIGtleSB0aGF0IGlzIGxvbmcgZW5vdWdoIGZvciBIUzI1Ng"}"#,
  ]
  /// The halves that stay with who signs.
  private static let halves = [
    "ecdsa": #","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI""#,
    "eddsa": #","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A""#,
  ]

  private static func set(_ names: String...) -> String {
    let texts = names.map { KeySetFollowerTests.keys[$0, default: ""].replacing("@", with: "") }
    return "{\"keys\":[\(texts.joined(separator: ","))]}"
  }

  private func token(of name: String) async throws -> String {
    let half = KeySetFollowerTests.halves[name, default: ""]
    let text = KeySetFollowerTests.keys[name, default: ""].replacing("@", with: half)
    var wish = TokenMaker.Wish()
    wish.expires = WallClock.milliseconds() / 1_000 + 600
    return try await TokenMaker(try #require(TokenKey.read(Array(text.utf8)).first)).token(wish)
  }

  /// What follows the set of a server, for as long as `body` takes.
  private func with(
    _ backend: Backend,
    waits: Bool = true,
    keeping: Duration = KeySetFollower.keeping,
    _ body: (TokenVerifier) async throws -> Void
  ) async throws {
    let verifier = TokenVerifier(try await TokenKeys(opening: []), rules: TokenRules())
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let group = MultiThreadedEventLoopGroup.singleton
    let follower = KeySetFollower(
      backend.url,
      besides: [],
      for: verifier,
      keeping: keeping,
      on: group,
      log: log
    )
    let start = Task { await follower.start() }
    if waits { await start.value }
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await body(verifier))
    } catch {
      outcome = .failure(error)
    }
    await start.value
    await follower.stop()
    try await backend.stop()
    try outcome.get()
  }

  private func isGood(_ token: String, _ verifier: TokenVerifier) async throws -> Bool {
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let promise = loop.makePromise(of: Bool.self)
    loop.execute { verifier.verify(token, on: loop) { promise.succeed((try? $0.get()) != nil) } }
    return try await promise.futureResult.get()
  }

  private func eventually(_ what: Comment, _ condition: () async throws -> Bool) async throws {
    let deadline = NIODeadline.now() + .seconds(40)
    while try await !condition() {
      try #require(NIODeadline.now() < deadline, what)
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  @Test func keysOfEveryKindAreTaken() async throws {
    let backend = try await Backend { _ in .json(KeySetFollowerTests.set("ecdsa", "eddsa", "one")) }
    try await with(backend) { verifier in
      for name in ["ecdsa", "eddsa", "one"] {
        let isTaken = try await isGood(try await token(of: name), verifier)
        #expect(isTaken, "\(name)")
      }
      let isOther = try await isGood(try await token(of: "two"), verifier)
      #expect(!isOther)
      #expect(backend.asked.first?.head.headers.first(name: "Accept")?.contains("jwk-set") == true)
    }
  }

  /// What a server may answer instead of a set.
  private static let answers: [Backend.Answer] = [
    .json(set("one"), .internalServerError), .json(set("one"), .noContent), .json("nonsense"), .json("{}"),
    .json(#"{"keys":[]}"#), .json(set("one") + String(repeating: " ", count: 300_000)),
    .raw("garbage\r\n\r\n"),
    .raw("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n\(set("one"))"), .raw(""), .silence,
    .dripping,
  ]

  @Test(arguments: answers.indices) func whatIsNoSetIsNotTakenAndAskedForAgain(_ index: Int) async throws {
    let answer = KeySetFollowerTests.answers[index]
    let backend = try await Backend { _ in answer }
    try await with(backend) { verifier in
      let token = try await token(of: "one")
      #expect(throws: TokenFault.noKeys) { try verifier.verify(token) }
      backend.answers { _ in .json(KeySetFollowerTests.set("one")) }
      try await eventually("a set after \(answer)") { (try? verifier.verify(token)) != nil }
    }
  }

  @Test func whereASetHasMovedIsNotFollowed() async throws {
    let other = try await Backend { _ in .json(KeySetFollowerTests.set("one")) }
    let place = other.url
    let backend = try await Backend { _ in
      .raw("HTTP/1.1 302 Found\r\nLocation: \(place)\r\nContent-Length: 0\r\n\r\n")
    }
    try await with(backend) { verifier in
      let token = try await token(of: "one")
      #expect(throws: TokenFault.noKeys) { try verifier.verify(token) }
      #expect(other.asked.isEmpty && backend.asked.count >= 1)
    }
    try await other.stop()
  }

  /// Several keys one after the other: each is had at once, and those before stay for a while.
  @Test func newKeysAreHadAtOnceAndOldOnesStay() async throws {
    let backend = try await Backend { _ in .json(KeySetFollowerTests.set("one")) }
    try await with(backend) { verifier in
      var tokens = [try await token(of: "one")]
      for name in ["two", "ecdsa", "eddsa"] {
        backend.answers { _ in .json(KeySetFollowerTests.set(name)) }
        tokens.append(try await token(of: name))
        for token in tokens.reversed() { #expect(try await isGood(token, verifier), "\(name)") }
      }
      #expect(backend.asked.count == 4)
    }
  }

  /// A key that was taken out of the set opens nothing after a while, although its tokens have not run out.
  @Test(arguments: [Duration.zero, .seconds(2)])
  func aKeyThatIsNoLongerInTheSetOpensNothing(_ keeping: Duration) async throws {
    let backend = try await Backend { _ in .json(KeySetFollowerTests.set("one", "two")) }
    try await with(backend, keeping: keeping) { verifier in
      let (one, two) = try await (token(of: "one"), token(of: "two"))
      #expect(try await isGood(one, verifier))
      #expect(try await isGood(two, verifier))
      backend.answers { _ in .json(KeySetFollowerTests.set("one")) }
      // An unknown name has the set asked for, though not ever again.
      let unknown = try await token(of: "eddsa")
      let begin = NIODeadline.now()
      try await eventually("the end of a key") {
        let isKnown = try await isGood(unknown, verifier)
        #expect(!isKnown)
        return try await !isGood(two, verifier)
      }
      #expect(try await isGood(one, verifier))
      let most = 2 + 3 + Int((NIODeadline.now() - begin).nanoseconds / 10_000_000_000)
      #expect(backend.asked.count <= most)
    }
  }

  /// However many tokens name what is not known: the server is asked once for all of them, and few wait.
  @Test func onlySoManyTokensWaitForTheSet() async throws {
    let backend = try await Backend { _ in .late(.seconds(4), KeySetFollowerTests.set("one")) }
    try await with(backend, waits: false) { verifier in
      try await eventually("a question") { backend.asked.count == 1 }
      let token = try await token(of: "one")
      let loop = MultiThreadedEventLoopGroup.singleton.any()
      let number = KeySetFollower.mostWaiting + 50
      let promises = (0..<number).map { _ in loop.makePromise(of: Bool.self) }
      loop.execute {
        for promise in promises {
          verifier.verify(token, on: loop) { promise.succeed((try? $0.get()) != nil) }
        }
      }
      var good = 0
      for promise in promises where try await promise.futureResult.get() { good += 1 }
      #expect(good == KeySetFollower.mostWaiting)
      #expect(backend.asked.count == 1)
    }
  }
}
