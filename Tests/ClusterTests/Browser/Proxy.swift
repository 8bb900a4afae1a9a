import Foundation
import NIOConcurrencyHelpers
import NIOHTTP1
import SluiceClient
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// A proxy in the way, such as offices have: between a browser and the cluster's own nginx, letting through
/// what it likes.
final class Proxy: Sendable {
  /// What it does not let through.
  enum Obstacle: Sendable, CaseIterable {
    case webSockets
    case eventStreams
    case heldPolls

    fileprivate var location: String {
      switch self {
      case .webSockets: "location = /v1/socket { return 403; }"
      case .eventStreams: "location = /v1/stream { return 403; }"
      case .heldPolls:
        "location = /v1/poll { if ($arg_wait != 0) { return 403; } proxy_pass http://cluster; }"
      }
    }
  }

  let endpoint: Endpoint
  private let cluster: Cluster
  private let folder: String
  private let process = NIOLockedValueBox<ChildProcess?>(nil)

  /// Starts one for the time of `body`; it begins by letting everything through.
  static func with(_ cluster: Cluster, _ body: (Proxy) async throws -> Void) async throws {
    let proxy = try Proxy(before: cluster)
    let outcome: Result<Void, any Error>
    do {
      try await proxy.block([])
      outcome = .success(try await body(proxy))
    } catch {
      outcome = .failure(error)
    }
    try await proxy.stop()
    try outcome.get()
  }

  private init(before cluster: Cluster) throws {
    self.cluster = cluster
    endpoint = Endpoint(host: "127.0.0.1", port: try FreePorts.pick(1)[0])
    folder = "\(cluster.directory)/proxy-\(endpoint.port)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  /// Starts anew with these obstacles. Every connection that it had is cut.
  func block(_ obstacles: [Obstacle]) async throws {
    try await stop()
    let configuration = """
      pid nginx.pid;
      error_log stderr crit;
      events {}
      http {
        access_log off;
        client_body_temp_path body;
        proxy_temp_path proxy;
        fastcgi_temp_path fastcgi;
        uwsgi_temp_path uwsgi;
        scgi_temp_path scgi;
        map $http_upgrade $connection_of_upgrade { "" ""; default upgrade; }
        upstream cluster { server \(cluster.nginx.host):\(cluster.nginx.port); }
        server {
          listen \(endpoint.host):\(endpoint.port);
          proxy_http_version 1.1;
          proxy_buffering off;
          proxy_read_timeout 90s;
          proxy_set_header Host $http_host;
          proxy_set_header Upgrade $http_upgrade;
          proxy_set_header Connection $connection_of_upgrade;
          location / { proxy_pass http://cluster; }
          \(obstacles.map(\.location).joined(separator: "\n    "))
        }
      }
      """
    try configuration.write(toFile: "\(folder)/nginx.conf", atomically: true, encoding: .utf8)
    let child = try ChildProcess(
      ["nginx", "-e", "stderr", "-p", folder, "-c", "\(folder)/nginx.conf", "-g", "daemon off;"],
      output: "\(cluster.directory)/logs/proxy.log"
    )
    process.withLockedValue { $0 = child }
    try await eventually("a proxy that lets through") {
      guard child.exitStatus == nil else {
        throw Shell.Failed(description: "the proxy has ended: see its log")
      }
      return (try? await HTTP.get(endpoint, "/readyz"))?.status == .ok
    }
  }

  private func stop() async throws {
    guard let child = process.withLockedValue({ $0 }) else { return }
    process.withLockedValue { $0 = nil }
    kill(child.pid, SIGTERM)
    _ = try await child.exit(within: .seconds(10))
  }
}
