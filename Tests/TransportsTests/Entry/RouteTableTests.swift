import NIOHTTP1
import Testing

@testable import Transports

struct RouteTableTests {
  private func table() -> RouteTable {
    var table = RouteTable()
    table.add(.GET, "/") { _, _ in }
    table.add(.GET, "/v1/channels/{channel}/messages") { _, _ in }
    table.add(.POST, "/v1/channels/{channel}/messages", bodyLimit: 7) { _, _ in }
    table.add(.DELETE, "/v1/sessions/{member}") { _, _ in }
    return table
  }

  private func outcome(_ method: HTTPMethod, _ path: String) throws -> String {
    let target = try #require(RequestTarget(path))
    return switch self.table().match(method, target.segments) {
    case .found(let route, let parameters): "\(route.method) \(parameters["channel"] ?? "-")"
    case .otherMethods(let allow): allow
    case .none: "none"
    }
  }

  @Test(arguments: [
    ("GET", "/", "GET -"), ("GET", "/v1/channels/room:a/messages", "GET room:a"),
    ("HEAD", "/v1/channels/room%3Aa/messages?x=1", "GET room:a"),
    ("POST", "/v1/channels/a%2Fb/messages", "POST a/b"),
    ("PUT", "/v1/channels/a/messages", "GET, HEAD, POST, OPTIONS"),
    ("GET", "/v1/sessions/x", "DELETE, OPTIONS"),
    ("POST", "/", "GET, HEAD, OPTIONS"), ("GET", "/v1/channels//messages", "none"),
    ("GET", "/v1/channels/a/messages/", "none"), ("GET", "/v1", "none"),
    ("GET", "/V1/channels/a/messages", "none"),
    ("GET", "http://host:80/v1/channels/a/messages?b", "GET a"), ("GET", "http://host", "GET -"),
  ])
  func matches(method: String, path: String, expected: String) throws {
    #expect(try self.outcome(HTTPMethod(rawValue: method), path) == expected)
  }

  @Test(arguments: ["", "v1", "/a%", "/a%4", "/a%zz", "/%ff", "/a?b=%f", "/a?%=1", "host:80"])
  func refusesTarget(_ target: String) {
    #expect(RequestTarget(target) == nil)
  }

  @Test func readsTheQuery() throws {
    let query = try #require(
      RequestTarget("/v1/stream?channels=a,b%2Cc&since=x%40y.1+z&flag&empty=&channels=d&=v&a=b=c#f")
    ).query
    #expect(query["channels"] == "a,b,c")
    #expect(query.all("channels") == ["a,b,c", "d"])
    #expect(query["since"] == "x@y.1 z")
    #expect(query["flag"] == "")
    #expect(query["empty"] == "")
    #expect(query["a"] == "b=c")
    #expect(query["missing"] == nil)
    #expect(!query.isEmpty)
    #expect(try #require(RequestTarget("/a?")).query.isEmpty)
  }
}
