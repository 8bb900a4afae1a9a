import NIOCore
import Testing
import Wire

@testable import GatewayNode

@Suite struct NodeCommandTests {
  @Test(arguments: [
    NodeCommand.Act.drain(overSeconds: nil), .drain(overSeconds: 0), .drain(overSeconds: 3_600), .undrain,
  ])
  func commandsAreReadAsTheyWereWritten(_ act: NodeCommand.Act) {
    let command = NodeCommand(act, by: "127.0.0.1 at \"a\"")
    #expect(NodeCommand(command.json) == command)
  }

  @Test(arguments: [
    "", "{}", #"{"act":"explode","by":"a"}"#, #"{"act":"drain"}"#,
    #"{"act":"drain","over_seconds":9223372036854775807,"by":"a"}"#,
    #"{"act":"drain","over_seconds":3601,"by":"a"}"#, #"{"act":"drain","over_seconds":-1,"by":"a"}"#,
    #"{"act":"drain","over_seconds":"9","by":"a"}"#,
  ])
  func othersAreNotKnown(_ text: String) {
    #expect(NodeCommand(ByteBuffer(string: text)) == nil)
  }

  @Test func repliesAreReadAsTheyWereWritten() throws {
    let node = ByteBuffer(string: #"{"node":"a"}"#)
    #expect(try NodeReply.read(NodeReply.json(.success(node))).get() == node)
    let error = ClientError(.draining, "too \"late\"")
    #expect(throws: error) { try NodeReply.read(NodeReply.json(.failure(error))).get() }
    #expect(throws: ClientError.self) { try NodeReply.read(ByteBuffer(string: "?")).get() }
  }
}
