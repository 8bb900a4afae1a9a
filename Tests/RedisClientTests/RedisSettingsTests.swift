import Testing

@testable import RedisClient

struct RedisSettingsTests {
  @Test func readsURLs() throws {
    let plain = try RedisSettings(url: "redis://example.net")
    #expect(plain == RedisSettings(address: RedisAddress(host: "example.net", port: 6379)))
    let whole = try RedisSettings(url: "redis://ada:p%40ss%2Fw:%25@10.0.0.1:7000/3")
    #expect(whole.address == RedisAddress(host: "10.0.0.1", port: 7000))
    #expect(whole.user == "ada")
    #expect(whole.password == "p@ss/w:%")
    #expect(whole.database == 3)
    let alone = try RedisSettings(url: "REDIS://:geh%C3%A4im@localhost/")
    #expect(alone.user == nil)
    #expect(alone.password == "gehäim")
    let six = try RedisSettings(url: "redis://[::1]:6380")
    #expect(six.address == RedisAddress(host: "::1", port: 6380))
    #expect(six.description == "redis://[::1]:6380/0")
    #expect(try RedisSettings(url: "redis://[::1]").address.port == 6379)
  }

  @Test(arguments: [
    ("localhost:6379", "redis://"), ("rediss://host", "TLS"), ("redis://", "host"), ("redis://:6379", "host"),
    ("redis://host:0", "port"), ("redis://host:65536", "port"), ("redis://host:", "port"),
    ("redis://host/x", "database"), ("redis://host/-1", "database"), ("redis://::1:6379", "brackets"),
    ("redis://[::1", "]"), ("redis://[::1]x", "]"), ("redis://:a/secret@host", "%2F"),
    ("redis://:secret%4@host", "hexadecimal"), ("redis://:secret%zz@host", "hexadecimal"),
    ("redis://:%ff@host", "UTF-8"), ("redis://ada@host", "password"), ("redis://host?x=1", "?"),
  ])
  func saysWhatIsWrong(url: String, word: String) {
    let error = #expect(throws: RedisURLError.self) { try RedisSettings(url: url) }
    #expect(error?.description.contains(word) == true, "\(String(describing: error))")
    #expect(error?.description.contains("secret") == false)
  }

  @Test func hidesThePassword() throws {
    let settings = try RedisSettings(url: "redis://ada:secret@host:1/2")
    #expect("\(settings)" == "redis://ada@host:1/2")
  }
}
