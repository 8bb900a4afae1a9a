import NIOCore
import NIOHTTP1
import Testing

@testable import Transports

struct EntityTagTests {
  @Test(arguments: [
    [#""a""#], [#"W/"a""#], ["*"], [" * "], [#""x", "a""#], [#""x","a","y""#], [#""x", W/"a" , "y""#],
    [#", ,"a""#], [#""x""#, #""a""#], [#""x,y", "a""#], [#""a", broken"#],
  ])
  func knowsWhatTheClientHas(_ fields: [String]) {
    #expect(EntityTag.matches(#""a""#, ifNoneMatch: fields))
  }

  @Test(arguments: [
    [], [""], [" "], ["a"], [#""b""#], [#""A""#], [#""a"#], [#"a""#], [#"w/"a""#], [#""x" "a""#],
    [#"broken, "a""#],
    [#""*""#], [#"*, "b""#], [#""x,"a",""#], [#"W/ "a""#], [","],
  ])
  func takesNothingElseForIt(_ fields: [String]) {
    #expect(!EntityTag.matches(#""a""#, ifNoneMatch: fields))
  }

  @Test func aTagMayHaveCommasInside() {
    let tag = #""room:a@k3f9x2ab.7,room:b@p0c1d2e3.0""#
    for fields in [[tag], ["W/\(tag)"], [#""room:a@k3f9x2ab.7""#, tag], [#""x,y","# + tag]] {
      #expect(EntityTag.matches(tag, ifNoneMatch: fields))
    }
    #expect(!EntityTag.matches(tag, ifNoneMatch: [#""room:a@k3f9x2ab.7""#, #""room:b@p0c1d2e3.0""#]))
    #expect(!EntityTag.matches(#""room:b@p0c1d2e3.0""#, ifNoneMatch: [tag]))
  }

  @Test func otherBytesHaveAnotherTag() {
    let tags = ["", "a", "b", "ab", "ba"].map { EntityTag.of(ByteBuffer(string: $0)) }
    #expect(Set(tags).count == tags.count)
    #expect(tags.allSatisfy { $0.hasPrefix("\"") && $0.hasSuffix("\"") })
    #expect(EntityTag.of(ByteBuffer(string: "a")) == tags[1])
  }

  @Test func whoHasItGetsTheHeadersOfA304() throws {
    let link = "</older>; rel=\"prev\""
    let entry = try EmbeddedEntry { routes in
      routes.add(.GET, "/page") { request, responder in
        let body = ValidatedBody(ByteBuffer(string: "{}"), link: link)
        responder.respond(body, to: request, headers: ["X-Frame-Options": "DENY"])
      }
    }
    let tag = ValidatedBody(ByteBuffer(string: "{}"), link: link).tag
    try entry.send("GET /page HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(
      try entry.takeOutput()
        == "HTTP/1.1 200 OK\r\nX-Frame-Options: DENY\r\nETag: \(tag)\r\nCache-Control: no-cache\r\n"
        + "Link: \(link)\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )
    try entry.send(
      "GET /page HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x,y\"\r\nIf-None-Match: W/\(tag)\r\n\r\n"
    )
    #expect(
      try entry.takeOutput()
        == "HTTP/1.1 304 Not Modified\r\nETag: \(tag)\r\nCache-Control: no-cache\r\nLink: \(link)\r\n\r\n"
    )
  }

  @Test func thePagesBesideItAreOfTheTag() {
    let links: [String?] = [nil, "", "</a>; rel=\"next\"", "</b>; rel=\"next\""]
    let tags = links.map { ValidatedBody(ByteBuffer(string: "{}"), link: $0).tag }
    #expect(Set(tags).count == tags.count)
    #expect(tags[0] == EntityTag.of(ByteBuffer(string: "{}")))
    #expect(ValidatedBody(ByteBuffer(string: "[]"), link: links[2]).tag != tags[2])
  }
}
