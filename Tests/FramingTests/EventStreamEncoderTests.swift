import Framing
import NIOCore
import Testing

struct EventStreamEncoderTests {
  private func written(_ write: (inout ByteBuffer) -> Void) -> String {
    var buffer = ByteBuffer()
    write(&buffer)
    return String(buffer: buffer)
  }

  @Test func writesEvents() {
    let data = ByteBuffer(string: #"{"a":1}"#)
    #expect(self.written { EventStreamEncoder.write(data: data, into: &$0) } == "data: {\"a\":1}\n\n")
    #expect(
      self.written {
        EventStreamEncoder.write(name: "gap", id: "a@k3f9x2ab.2,b@k3f9x2ab.0", data: data, into: &$0)
      }
        == "event: gap\nid: a@k3f9x2ab.2,b@k3f9x2ab.0\ndata: {\"a\":1}\n\n"
    )
    #expect(
      self.written { EventStreamEncoder.write(id: ByteBuffer(string: "a@x.1"), data: data, into: &$0) }
        == "id: a@x.1\ndata: {\"a\":1}\n\n"
    )
  }

  @Test func writesRetryAndComments() {
    #expect(
      self.written { EventStreamEncoder.writeRetry(milliseconds: 2150, into: &$0) } == "retry: 2150\n\n"
    )
    #expect(self.written { EventStreamEncoder.writeComment(into: &$0) } == ":\n\n")
    #expect(self.written { EventStreamEncoder.writeComment("still here", into: &$0) } == ":still here\n\n")
  }
}
