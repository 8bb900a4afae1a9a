import Admission
import ArgumentParser
import Foundation
import GatewayNode
import NIOCore
import Wire

extension TokenCommand {
  struct Inspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show what a token says, and with --key whether a node with that key takes it.",
      discussion: """
        Without --key nothing is verified. What is not said of the node is as it is by default: a token must have an exp, \
        and clocks may be 30 s wrong. Exit 0 only when the token would be taken, as far as was looked.
        """
    )

    @Argument(help: "The token; - reads it from standard input, which keeps it out of the shell's history.")
    var token: String
    @Option(help: "A file with keys, as of --token-keys; can be repeated.", completion: .file())
    var key: [String] = []
    @Option(help: "The audience that the node asks for.") var audience: [String] = []
    @Option(help: "The issuer that the node asks for.") var issuer: [String] = []
    @Option(help: "Whether the node asks for an exp, as its --token-expiry: required or optional.")
    var expiry = TokenExpiry.required.rawValue
    @Option(help: ArgumentHelp("How wrong clocks may be, as its --token-leeway.", valueName: "duration"))
    var leeway = "30s"
    @Flag(help: "Print an object, for programs.") var json = false

    func validate() throws {
      guard TokenExpiry(rawValue: expiry) != nil else {
        throw ValidationError("--expiry is \"\(expiry)\": expected required or optional")
      }
      guard Inspect.milliseconds(leeway) != nil else {
        throw ValidationError("--leeway is \"\(leeway)\": expected a duration such as 0s, 30s or 5m")
      }
    }

    private static func milliseconds(_ text: String) -> Int64? {
      text == "0" || text == "0s" ? 0 : TokenTimes.seconds(text).map { $0 * 1_000 }
    }

    func run() async throws {
      let text = token == "-" ? readLine(strippingNewline: true) ?? "" : token
      let unchecked: UncheckedToken
      let claims: TokenClaims
      do {
        unchecked = try UncheckedToken(text)
        claims = try TokenClaims(unchecked.payload)
      } catch {
        throw CommandFailure("this is no token that a node takes: \(error.reason)")
      }
      var rules = TokenRules()
      rules.audiences = audience
      rules.issuers = issuer
      rules.requiresExpiry = expiry == TokenExpiry.required.rawValue
      rules.leeway = Inspect.milliseconds(leeway) ?? 0
      var fault = rules.fault(in: claims, now: WallClock.milliseconds())
      if !key.isEmpty {
        let keys = try await TokenKeys(opening: try key.flatMap { try KeyFile.read($0) })
        do {
          try keys.verify(unchecked)
        } catch {
          fault = error
        }
      }
      print(json ? object(unchecked, fault) : table(unchecked, claims, fault))
      if fault != nil { throw ExitCode(1) }
    }

    private func object(_ token: UncheckedToken, _ fault: TokenFault?) -> String {
      var object = ByteBuffer()
      object.openObject()
      object.writeMember("header", token.header)
      object.writeMember("claims", token.payload)
      object.writeMember("verified", !key.isEmpty && fault == nil)
      if let fault { object.writeMember("fault", fault.reason) }
      object.closeObject()
      return String(buffer: object)
    }

    private func table(_ token: UncheckedToken, _ claims: TokenClaims, _ fault: TokenFault?) -> String {
      let now = WallClock.milliseconds()
      var rows = [("algorithm", token.algorithm.rawValue)]
      if let id = token.keyID { rows.append(("key", id)) }
      rows.append(("user", claims.user ?? "none"))
      if let issuer = claims.issuer { rows.append(("issuer", issuer)) }
      if !claims.audiences.isEmpty { rows.append(("audience", claims.audiences.joined(separator: ", "))) }
      rows.append(("expires", claims.expires.map { TokenTimes.text($0, now: now) } ?? "never"))
      if let start = claims.notBefore { rows.append(("not before", TokenTimes.text(start, now: now))) }
      for act in Rights.Act.allCases {
        guard let granted = claims.rights.granted else {
          rows.append((act.rawValue, "what namespaces do not ask a right for"))
          continue
        }
        let patterns = granted[act] ?? []
        rows.append(
          (act.rawValue, patterns.isEmpty ? "nothing" : patterns.map(\.text).joined(separator: ", "))
        )
      }
      if let info = claims.info { rows.append(("info", String(buffer: info))) }
      rows.append(
        ("verdict", fault.map { "refused: \($0.reason)" } ?? (key.isEmpty ? "not verified" : "good"))
      )
      return rows.map { name, value in
        name.padding(toLength: 12, withPad: " ", startingAt: 0) + Inspect.visible(value)
      }.joined(separator: "\n")
    }

    /// Nothing in a token moves the cursor of a terminal.
    private static func visible(_ text: String) -> String {
      String(
        String.UnicodeScalarView(
          text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }
        )
      )
    }
  }
}
