import Foundation
import NIOHTTP1
import SluiceClient
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// An nginx in front of the nodes that keeps the answers to short polls for as long as they say: what a CDN is.
struct CachingProxy {
  let endpoint: Endpoint

  /// Runs one until `body` is done.
  static func run(_ cluster: Cluster, _ body: (CachingProxy) async throws -> Void) async throws {
    let port = try FreePorts.pick(1)[0]
    let folder = "\(cluster.directory)/cache-\(port)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let nodes = (0..<3).map { "server 127.0.0.1:\(cluster.node($0).port);" }.joined(separator: " ")
    let configuration = """
      worker_processes 1;
      worker_rlimit_nofile 8192;
      pid \(folder)/pid;
      error_log \(folder)/error.log warn;
      events { worker_connections 4096; }
      http {
        access_log off;
        client_body_temp_path \(folder)/body;
        proxy_temp_path \(folder)/temp;
        fastcgi_temp_path \(folder)/fastcgi;
        uwsgi_temp_path \(folder)/uwsgi;
        scgi_temp_path \(folder)/scgi;
        proxy_cache_path \(folder)/cache keys_zone=polls:1m max_size=16m;
        upstream nodes { \(nodes) keepalive 16; }
        server {
          listen 127.0.0.1:\(port) backlog=4096;
          keepalive_requests 100000;
          location / {
            proxy_pass http://nodes;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_cache polls;
            proxy_cache_lock on;
            proxy_cache_use_stale updating;
          }
        }
      }
      """
    try configuration.write(toFile: "\(folder)/nginx.conf", atomically: true, encoding: .utf8)
    let process = try ChildProcess(
      [
        "nginx", "-e", "\(folder)/error.log", "-p", folder, "-c", "\(folder)/nginx.conf", "-g", "daemon off;",
      ],
      output: "\(folder)/output.log"
    )
    let proxy = CachingProxy(endpoint: Endpoint(host: "127.0.0.1", port: port))
    let outcome: Result<Void, any Error>
    do {
      try await eventually("a caching proxy") {
        (try? await HTTP.get(proxy.endpoint, "/readyz"))?.status == .ok
      }
      outcome = .success(try await body(proxy))
    } catch {
      outcome = .failure(error)
    }
    if process.exitStatus == nil { kill(process.pid, SIGTERM) }
    _ = try await process.exit(within: .seconds(20))
    try outcome.get()
  }
}
