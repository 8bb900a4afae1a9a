import NIOCore
import Testing

@testable import GatewayNode

@Suite struct AddressTests {
  @Test(arguments: [
    ("127.0.0.1:8080", "127.0.0.1", 8080), ("[::1]:0", "::1", 0), ("localhost:65535", "localhost", 65_535),
    ("gate-1.example:80", "gate-1.example", 80),
  ])
  func readsListenAddresses(_ text: String, _ host: String, _ port: Int) {
    #expect(ListenAddress(text) == ListenAddress(host: host, port: port))
    #expect(ListenAddress(text)?.description == text)
  }

  @Test(arguments: [
    "", ":8080", "8080", "host", "host:", "host:65536", "host:-1", "host:8a", "::1:8080", "[host]:1",
    "[1.2.3.4]:1",
    "a b:1", "http://x:1", "host:+80",
  ])
  func refusesOtherListenAddresses(_ text: String) {
    #expect(ListenAddress(text) == nil)
  }

  @Test(arguments: [
    ("127.0.0.1", true), ("127.8.0.1", true), ("::1", true), ("localhost", true), ("0.0.0.0", false),
    ("::", false), ("10.0.0.1", false), ("gate", false), ("::ffff:127.0.0.1", true),
  ])
  func knowsLoopback(_ host: String, _ isLoopback: Bool) {
    #expect(ListenAddress(host: host, port: 1).isLoopback == isLoopback)
  }

  @Test(arguments: [
    ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.1.2.3/8", "10.9.9.9", true),
    ("192.168.1.7", "192.168.1.7", true), ("192.168.1.7", "192.168.1.8", false),
    ("0.0.0.0/0", "8.8.8.8", true),
    ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "8.8.8.8", true), ("fd00::/8", "fdff::1", true),
    ("fd00::/8", "fe00::1", false), ("::1/128", "::1", true), ("10.0.0.0/8", "::ffff:10.1.1.1", true),
    ("172.16.0.0/12", "172.31.255.255", true), ("172.16.0.0/12", "172.32.0.0", false),
  ])
  func holdsItsAddresses(_ range: String, _ address: String, _ isHeld: Bool) throws {
    let range = try #require(AddressRange(range))
    #expect(range.contains(try SocketAddress(ipAddress: address, port: 9)) == isHeld)
  }

  @Test(arguments: [
    "", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0/8", "host", "10.0.0.0/8/8", "10.0.0.0/+8",
  ])
  func refusesOtherRanges(_ text: String) {
    #expect(AddressRange(text) == nil)
  }

  @Test func holdsNoUnixSocket() throws {
    let range = try #require(AddressRange("::/0"))
    #expect(!range.contains(try SocketAddress(unixDomainSocketPath: "/tmp/x")))
  }
}
