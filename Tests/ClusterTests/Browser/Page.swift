import SluiceClient
import Testing

/// A page of a browser.
struct Page: Sendable {
  /// How it is looked at.
  struct View: Sendable {
    var width = 1_280
    var height = 800
    var isDark = false

    static let desk = View()
    static let phone = View(width: 360, height: 740)
  }

  let browser: Browser
  let name: String

  private struct Nothing: Decodable {}

  /// Runs an expression, or the function that it is, and waits for the promise that it may give back.
  func evaluate<Value: Decodable>(
    _ script: String,
    _ argument: String? = nil,
    as type: Value.Type = Value.self
  ) async throws -> Value {
    var request = Browser.Request("evaluate", name)
    request.script = script
    request.argument = argument
    return try #require(try await browser.ask(request, as: type), "nothing came of \(script)")
  }

  /// Runs a script for what it does.
  func run(_ script: String, _ argument: String? = nil) async throws {
    _ = try await evaluate(
      "async (argument) => { await (\(script))(argument); return true }",
      argument,
      as: Bool.self
    )
  }

  /// The text of the first element that a selector finds.
  func text(_ selector: String) async throws -> String {
    try await evaluate("(selector) => document.querySelector(selector)?.textContent ?? ''", selector)
  }

  /// The texts of all that it finds.
  func texts(_ selector: String) async throws -> [String] {
    try await evaluate(
      "(selector) => [...document.querySelectorAll(selector)].map((element) => element.textContent)",
      selector
    )
  }

  func click(_ selector: String) async throws {
    var request = Browser.Request("click", name)
    request.selector = selector
    try await browser.ask(request, as: Nothing.self)
  }

  func press(_ keys: String...) async throws {
    for key in keys {
      var request = Browser.Request("press", name)
      request.key = key
      try await browser.ask(request, as: Nothing.self)
    }
  }

  func type(_ text: String) async throws {
    var request = Browser.Request("type", name)
    request.text = text
    try await browser.ask(request, as: Nothing.self)
  }

  func reload() async throws {
    try await browser.ask(Browser.Request("reload", name), as: Nothing.self)
  }

  func close() async throws {
    try await browser.ask(Browser.Request("close", name), as: Nothing.self)
  }

  /// Errors and warnings on the console, violations of the page's policy among them, and errors that nobody caught.
  func problems() async throws -> [String] {
    try await browser.ask(Browser.Request("problems_of", name), as: [String].self) ?? []
  }
}

extension Browser {
  /// Opens a page, with storage and cookies of its own.
  /// - Parameter other: a page whose storage and cookies it shares instead.
  func open(
    _ name: String,
    _ endpoint: Endpoint,
    _ path: String,
    view: Page.View = .desk,
    with other: Page? = nil
  ) async throws -> Page {
    var request = Request("open", name)
    request.url = "http://\(endpoint.host):\(endpoint.port)\(path)"
    request.width = view.width
    request.height = view.height
    request.scheme = view.isDark ? "dark" : "light"
    request.withPage = other?.name
    try await ask(request, as: Bool.self)
    return Page(browser: self, name: name)
  }
}
