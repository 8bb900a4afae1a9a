import GatewayNode
import NIOCore
import Testing

@Suite struct NodeTableTests {
  @Test func showsEveryNode() throws {
    let body = ByteBuffer(
      string: """
        {"nodes":[{"node":"gateway-1","incarnation":"gateway-1/ab","state":"ready","version":"0.1.0",\
        "uptime_s":75,"connections":{"websocket":1200,"sse":3,"poll":0}},\
        {"node":"g2","incarnation":"g2/cd","state":"draining","version":"0.1.0","uptime_s":90061,\
        "connections":{"websocket":7,"sse":0,"poll":1},\
        "drain":{"remaining":8,"per_second":2.5,"seconds_left":12,"forced":0},"alive":true,\
        "rates":{"messages_in":1.5,"messages_out":1234.4,"connects":0},"memory_bytes":52428800,\
        "loop_lag_ms":2.6,"accept_rate":2000,"health":{"publish":true,"feed":true}},\
        {"node":"g2","incarnation":"g2/ab","state":"dead","alive":false,"replaced_by":"g2/cd"},\
        {"node":"g3","incarnation":"g3/ef","state":"dead","alive":false,"seen_s":75,"version":"0.1.0",\
        "connections":{"websocket":0,"sse":0,"poll":0}}],"problem":"Redis is down"}
        """
    )
    #expect(
      try #require(NodeTable(body)).description == """
        NODE       STATE     VERSION  UPTIME     WEBSOCKET  SSE  POLL  IN/S  OUT/S  CONN/S  ACCEPT/S  MEMORY  LAG  HEALTH  DRAIN
        gateway-1  ready     0.1.0    1m15s      1200       3    0     -     -      -       -         -       -    -       -
        g2         draining  0.1.0    1d1h       7          0    1     1.5   1234   0       2000      50MiB   3ms  ok      8 left, 12s
        g3         dead      0.1.0    1m15s ago  0          0    0     -     -      -       -         -       -    -       -
        the other nodes cannot be listed: Redis is down
        """
    )
  }

  @Test func theProblemIsApartFromTheRows() throws {
    let node = #"{"node":"a","incarnation":"a/1","state":"ready"}"#
    let alone = try #require(NodeTable(ByteBuffer(string: #"{"nodes":[\#(node)],"problem":"why"}"#)))
    #expect(alone.problem == "the other nodes cannot be listed: why")
    #expect(alone.rows.split(separator: "\n").count == 2)
    let all = try #require(NodeTable(ByteBuffer(string: #"{"nodes":[\#(node)]}"#)))
    #expect(all.problem == nil)
    #expect(all.description == all.rows)
  }

  /// No listener may end the process of whoever asks it.
  @Test(arguments: ["1e999", "-1e999", "9223372036854775807", "-9223372036854775808", "1e18"])
  func believesNoNumber(_ number: String) throws {
    let node = """
      {"node":"a","incarnation":"a/1","state":"draining","uptime_s":\(number),"seen_s":\(number),\
      "connections":{"websocket":\(number),"sse":\(number),"poll":\(number)},\
      "rates":{"messages_in":\(number),"messages_out":\(number),"connects":\(number)},\
      "accept_rate":\(number),"memory_bytes":\(number),"loop_lag_ms":\(number),\
      "resumes":{"total":\(number),"redis_reads":\(number)},\
      "drain":{"remaining":\(number),"per_second":\(number),"seconds_left":\(number),"forced":\(number)}}
      """
    let nodes = ByteBuffer(string: "{\"nodes\":[\(node),\(node)]}")
    #expect(try !#require(NodeTable(nodes)).description.isEmpty)
    #expect(try #require(ClusterSummary(nodes)).description.hasPrefix("2 nodes"))
    let now = NIODeadline.now()
    var follower = try #require(DrainFollower(ByteBuffer(string: node), to: .drained, now: now))
    #expect(follower.bar.hasPrefix("["))
    for remaining in ["9223372036854775807", "-9223372036854775808", "3"] {
      let next = node.replacing("\"remaining\":\(number)", with: "\"remaining\":\(remaining)")
      #expect(follower.heard(ByteBuffer(string: next), now: now) == .goesOn)
      #expect(follower.bar.hasPrefix("["))
    }
  }

  @Test(arguments: ["", "[]", "{}", #"{"nodes":1}"#, #"{"nodes":[1]}"#, #"{"nodes":[{}]}"#])
  func refusesOtherAnswers(_ text: String) {
    #expect(NodeTable(ByteBuffer(string: text)) == nil)
  }
}
