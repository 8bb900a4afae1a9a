internal import NIOCore
internal import NIOHTTP1
internal import Transports

/// The demo pages, which are part of the program.
enum PageRoutes {
  private static let html = "text/html; charset=utf-8"
  private static let script = "text/javascript; charset=utf-8"
  private static let style = "text/css; charset=utf-8"

  static func add(to routes: inout RouteTable) {
    add("/", html, PackageResources.index_html, to: &routes)
    add("/chat.css", style, PackageResources.chat_css, to: &routes)
    add("/chat.js", script, PackageResources.chat_js, to: &routes)
    add("/connection.js", script, PackageResources.connection_js, to: &routes)
    add("/people.js", script, PackageResources.people_js, to: &routes)
  }

  private static func add(_ path: String, _ type: String, _ bytes: [UInt8], to routes: inout RouteTable) {
    let body = ByteBuffer(bytes: bytes)
    let headers: HTTPHeaders = [
      "Content-Type": type, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff",
    ]
    routes.add(.GET, path) { _, responder in responder.respond(.ok, headers: headers, body: body) }
  }
}
