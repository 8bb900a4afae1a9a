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
        "drain":{"remaining":8,"per_second":2.5,"seconds_left":12,"forced":0}}]}
        """
    )
    #expect(
      try #require(NodeTable(body)).description == """
        NODE       STATE     VERSION  UPTIME  WEBSOCKET  SSE  POLL  DRAIN
        gateway-1  ready     0.1.0    1m15s   1200       3    0     -
        g2         draining  0.1.0    1d1h    7          0    1     8 left, 12s
        """
    )
  }

  @Test(arguments: ["", "[]", "{}", #"{"nodes":1}"#, #"{"nodes":[1]}"#, #"{"nodes":[{}]}"#])
  func refusesOtherAnswers(_ text: String) {
    #expect(NodeTable(ByteBuffer(string: text)) == nil)
  }
}
