import Counting
import NIOCore
import Wire

/// What clients ask for, one after another, over a real socket.
struct Exchanges {
  let gateway: Gateway

  /// Publishes over HTTP: the request, the script in Redis, the answer.
  func countPublishes() throws {
    let body = "\"" + String(repeating: "x", count: 126) + "\""
    let request = """
      POST /v1/channels/publish:a/messages HTTP/1.1\r
      Host: 127.0.0.1\r
      Content-Type: application/json\r
      Content-Length: 128\r
      \r
      \(body)
      """
    try countRequests("publish", request, expecting: "HTTP/1.1 201")
  }

  /// Short polls that are answered from memory with one message.
  func countPolls() async throws {
    let channel = "poll:a"
    let client = gateway.webSocket(channel).client
    let post = """
      POST /v1/channels/\(channel)/messages HTTP/1.1\r
      Host: 127.0.0.1\r
      Content-Length: 128\r
      \r
      "\(String(repeating: "x", count: 126))"
      """
    var cursors: [String] = []
    for _ in 0..<2 {
      let answer = Client(gateway.port).ask(post)
      cursors.append(String(answer.split(separator: #""cursor":""#).last!.prefix { $0 != "\"" }))
    }
    _ = client.wait(for: cursors[1], after: "")
    let request =
      "GET /v1/poll?channels=\(channel)&since=\(channel)@\(cursors[0])&wait=0 HTTP/1.1\r\nHost: a\r\n\r\n"
    try countRequests("poll", request, expecting: #""cursor":"\#(cursors[1])","data":"#)
  }

  private func countRequests(_ name: String, _ request: String, expecting text: String) throws {
    let client = Client(gateway.port)
    for _ in 0..<20 {
      let answer = client.ask(request)
      guard answer.contains(text) else { throw Miscount(description: "\(name): \(answer)") }
    }
    let bytes = Array(request.utf8)
    var answer = [UInt8](repeating: 0, count: 4096)
    for _ in 0..<Count.times {
      for operations in [50, 150] {
        Count(name: name, operations: operations).run {
          for _ in 0..<operations { client.ask(bytes, into: &answer) }
        }
      }
    }
  }

  /// Connects, upgrades and subscribes.
  func countSetUps() {
    let subscribe = Client.frame(#"{"type":"subscribe","id":1,"channel":"rooms:a"}"#)
    var answer = [UInt8](repeating: 0, count: 4096)
    var clients: [Client] = []
    clients.reserveCapacity(1_000)
    func setUp(_ number: Int) {
      for _ in 0..<number {
        let client = Client(gateway.port)
        client.ask(Client.upgrade, into: &answer)
        client.ask(subscribe, into: &answer)
        clients.append(client)
      }
    }
    setUp(30)
    for _ in 0..<Count.times {
      for operations in [30, 90] {
        Count(name: "set-up", operations: operations).run { setUp(operations) }
      }
    }
  }
}
