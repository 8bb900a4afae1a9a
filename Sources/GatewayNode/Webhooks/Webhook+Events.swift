internal import AsyncHTTPClient
internal import Brokering
internal import NIOCore
private import NIOHTTP1
private import Telemetry
internal import Wire

extension Webhook {
  /// Why a backend has not taken events.
  struct NotTaken: Error, CustomStringConvertible {
    let description: String
  }

  /// Tells the backend of events, once. Any answer of the 200s takes them all.
  func tell(_ events: [ClusterEvent]) async throws {
    let time = now()
    let body = Webhook.json(events, node: node, time: time)
    let request = try request(body, at: time)
    let response: HTTPClient.Response
    do {
      response = try await client.execute(
        request: request,
        delegate: ResponseAccumulator(request: request, maxBodySize: WebhookSettings.answerLimit),
        eventLoop: .delegate(on: home),
        deadline: .now() + settings.timeout
      ).futureResult.get()
    } catch {
      metrics.eventFailures.add()
      throw error
    }
    guard (200...299).contains(response.status.code) else {
      metrics.eventFailures.add()
      throw NotTaken(description: "it answered \(response.status.code), expected 200 to 299")
    }
    metrics.events.add(events.count)
  }

  private static func json(_ events: [ClusterEvent], node: String, time: Int64) -> ByteBuffer {
    var bytes = ByteBuffer()
    bytes.openObject()
    bytes.writeMember("kind", "events")
    bytes.writeMember("node", node)
    bytes.writeMember("time", time)
    bytes.writeMember("events", arrayOf: events) { bytes, event in
      bytes.openObject()
      bytes.writeMember("id", event.id)
      bytes.writeMember("kind", event.kind.rawValue)
      bytes.writeMember("time", event.time)
      // The members of the detail stand beside these.
      bytes.writeInteger(UInt8(ascii: ","))
      bytes.writeBytes(event.detail.readableBytesView.dropFirst())
    }
    bytes.closeObject()
    return bytes
  }
}
