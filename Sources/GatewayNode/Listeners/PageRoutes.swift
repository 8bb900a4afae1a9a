internal import NIOCore
internal import NIOHTTP1
internal import Transports

/// The demo pages and the JavaScript client, which are part of the program.
enum PageRoutes {
  private static let html = "text/html; charset=utf-8"
  private static let script = "text/javascript; charset=utf-8"
  private static let style = "text/css; charset=utf-8"

  static func add(to routes: inout RouteTable) {
    add("/", html, PackageResources.index_html, to: &routes)
    add("/prices", html, PackageResources.prices_html, to: &routes)
    add("/lab", html, PackageResources.lab_html, to: &routes)
    add("/style.css", style, PackageResources.style_css, to: &routes)
    add("/chat.js", script, PackageResources.chat_js, to: &routes)
    add("/prices.js", script, PackageResources.prices_js, to: &routes)
    add("/lab.js", script, PackageResources.lab_js, to: &routes)
    add("/people.js", script, PackageResources.people_js, to: &routes)
    add("/frame.js", script, PackageResources.frame_js, to: &routes)
    // Pages of other sites may load the client.
    add("/sluice.js", script, PackageResources.sluice_js, ["Access-Control-Allow-Origin": "*"], to: &routes)
  }

  /// Pages load nothing from elsewhere, run nothing that is not in a file, and are in nobody's frame.
  private static let policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

  private static func add(
    _ path: String,
    _ type: String,
    _ bytes: [UInt8],
    _ more: HTTPHeaders = [:],
    to routes: inout RouteTable
  ) {
    let body = ValidatedBody(ByteBuffer(bytes: bytes), contentType: type)
    var headers = more
    headers.add(name: "X-Content-Type-Options", value: "nosniff")
    if type == html {
      headers.add(contentsOf: [
        "Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
      ])
    }
    routes.add(.GET, path) { [headers] request, responder in
      responder.respond(body, to: request, headers: headers)
    }
  }
}
