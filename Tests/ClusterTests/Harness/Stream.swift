import NIOCore
import NIOHTTP1
import NIOPosix
import SluiceClient
import Testing
import Wire

/// One event stream as a test uses it.
final class Stream: Sendable {
  let connection: Confined<EventStreamConnection>
  let arrivals = Inbox<EventStreamConnection.Event>()

  init(
    to endpoint: Endpoint,
    _ query: String,
    lastEventID: String? = nil,
    headers: HTTPHeaders = [:]
  ) async throws {
    let arrivals = arrivals
    connection = try await Confined(on: MultiThreadedEventLoopGroup.singleton.any()) { loop in
      EventStreamConnection(
        to: endpoint,
        path: "/v1/stream?\(query)",
        lastEventID: lastEventID,
        headers: headers,
        on: loop
      ) { arrivals.append($0) }
    }
  }

  func opened() async throws -> HTTPResponseHead {
    try await arrivals.first("an open stream") { if case .opened(let head) = $0 { head } else { nil } }
  }

  func closure(within limit: Duration = .seconds(20)) async throws -> EventStreamConnection.Closure {
    try await arrivals.first("the end of a stream", within: limit) {
      if case .closed(let closure) = $0 { closure } else { nil }
    }
  }

  /// The first item that is the one.
  func item<Found: Sendable>(
    _ what: String,
    within limit: Duration = .seconds(20),
    _ pick: (EventStreamParser.Item) -> Found?
  ) async throws -> Found {
    try await arrivals.first(what, within: limit) { if case .item(let item) = $0 { pick(item) } else { nil } }
  }

  /// The first event of a type, with its id.
  func event(_ type: String, within limit: Duration = .seconds(20)) async throws -> (
    content: ServerEvent, id: String, name: String?
  ) {
    try await item("the event \(type)", within: limit) { item in
      guard case .event(let event) = item, let content = try? ServerEvent(parsing: event.data),
        content.name.description == type
      else { return nil }
      return (content, String(buffer: event.lastEventID), event.name)
    }
  }

  var items: [EventStreamParser.Item] {
    arrivals.all.compactMap { if case .item(let item) = $0 { item } else { nil } }
  }

  func abort() {
    connection.use(soon: { $0.abort() })
  }
}
