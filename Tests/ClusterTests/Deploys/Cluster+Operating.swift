import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

/// What an operator does, and sees.
extension Cluster {
  /// Asks for a drain at the operator listener of the node with this index.
  func drain(_ name: String, over seconds: Int? = nil, at index: Int) async throws -> HTTPResponse {
    let body = seconds.map { ByteBuffer(string: "{\"over_seconds\":\($0)}") } ?? ByteBuffer()
    let request = HTTPRequest(
      .POST,
      "/v1/nodes/\(name)/drain",
      headers: ["Content-Type": "application/json"],
      body: body
    )
    return try await HTTP.send(request, to: operating(index))
  }

  func undrain(_ name: String, at index: Int) async throws -> HTTPResponse {
    try await HTTP.send(HTTPRequest(.DELETE, "/v1/nodes/\(name)/drain"), to: operating(index))
  }

  /// Every process that the registry knows, as the node with this index says it.
  func registry(at index: Int) async throws -> [JSONObject] {
    let response = try await HTTP.get(operating(index), "/v1/nodes")
    return response.object?["nodes"]?.elements?.compactMap(\.object) ?? []
  }

  /// What a node says of itself.
  func state(of index: Int) async throws -> String? {
    try await HTTP.get(operating(index), "/v1/nodes/\(Cluster.nodeNames[index])").object?["state"]?.string
  }

  func wait(for state: String, of index: Int, within limit: Duration = .seconds(30)) async throws {
    try await eventually(
      "\(Cluster.nodeNames[index]) that is \(state)",
      within: limit,
      every: .milliseconds(20)
    ) {
      try await self.state(of: index) == state
    }
  }

  /// Runs the command line, asking the node with this index.
  func sluice(_ arguments: String..., at index: Int) async throws -> Shell.Outcome {
    try await Shell.run(sluiceCommand(arguments, at: index), in: directory)
  }

  func sluiceCommand(_ arguments: [String], at index: Int) -> [String] {
    [binary] + arguments + ["--operator", operating(index).url]
  }

  /// The value of a metric without labels.
  func metric(_ name: String, of index: Int) async throws -> Double {
    let lines = try await HTTP.get(operating(index), "/metrics").text.split(separator: "\n")
    let line = try #require(lines.first { $0.hasPrefix("\(name) ") }, "there is no \(name)")
    return try #require(Double(line.dropFirst(name.count + 1)))
  }

  /// Ends nodes that were started with settings of their own, and starts them as the others are.
  func restore(_ names: [String]) async throws {
    for name in names { try await kill9(name) }
    try await up()
  }
}
