import Testing
import Wire

@Suite struct SessionTests {
  @Test func isRecognisedWithItsUserOnly() throws {
    let session = Session(user: "ada")
    #expect(session.secret.utf8.count == 34)
    #expect(session.member.utf8.count == 16)
    #expect(Session(secret: session.secret, user: "ada") == session)
    #expect(Session(secret: session.secret, user: "bob") == nil)
    #expect(Session(secret: session.secret, user: nil) == nil)
  }

  @Test func anonymousIsNotAUserOfThatName() {
    let session = Session(user: nil)
    #expect(Session(secret: session.secret, user: nil) == session)
    #expect(Session(secret: session.secret, user: "anonymous") == nil)
  }

  /// Clients in other languages derive the member as well.
  @Test(
    arguments: [
      (nil, "AAECAwQFBgcICQoLDA0ODw.DtECLdCmiMw", "0Z0H9A9IIPyhURJo"),
      ("ada", "AAECAwQFBgcICQoLDA0ODw.6VlZv5rG8Yc", "L50c-hh-dWvkuf6v"),
    ] as [(String?, String, String)]
  )
  func theMemberFollowsFromTheSecret(_ user: String?, _ secret: String, _ member: String) throws {
    let session = try #require(Session(secret: secret, user: user))
    #expect(session.member == member)
  }

  @Test func isNotGuessedFromItsMember() {
    let session = Session(user: nil)
    #expect(!session.secret.contains(session.member))
    #expect(Session(user: nil) != session)
  }

  @Test(arguments: [
    "", ".", "x", String(repeating: "a", count: 34), String(repeating: "a", count: 22) + ".ÄÖÜäöü",
  ])
  func refusesWhatItNeverMade(_ secret: String) {
    #expect(Session(secret: secret, user: nil) == nil)
  }
}
