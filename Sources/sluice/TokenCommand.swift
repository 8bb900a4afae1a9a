import Admission
import ArgumentParser
import Foundation
import NIOCore
import Wire

struct TokenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token",
    abstract: "Make and inspect the tokens that clients show.",
    subcommands: [Make.self, Inspect.self]
  )

  struct Make: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Sign a token and print it.",
      discussion: """
        The key is a secret of 32 bytes or more (HS256), or a private key: RSA (RS256), P-256 (ES256) or Ed25519 (EdDSA), \
        in PEM or as a JSON Web Key. A pattern is a channel's name, with * for any run of characters.
        """
    )

    @Option(help: "The file with the key to sign with.", completion: .file()) var key: String
    @Option(help: "Its name, for the token's kid. Default: what the file says.") var kid: String?
    @Option(name: [.customLong("sub"), .customLong("user")], help: "The user.") var sub: String?
    @Option(help: ArgumentHelp("When it runs out, such as 5m or 1h.", valueName: "duration"))
    var expires = "1h"
    @Flag(help: "Make one that never runs out; a node must be told to take it: --token-expiry optional.")
    var forever = false
    @Option(
      help: ArgumentHelp("A channel or pattern it may subscribe to; can be repeated.", valueName: "pattern")
    )
    var subscribe: [String] = []
    @Option(help: ArgumentHelp("One it may publish to.", valueName: "pattern")) var publish: [String] = []
    @Option(
      help: ArgumentHelp("One whose members it may see. Default: as --subscribe.", valueName: "pattern")
    )
    var presence: [String] = []
    @Option(
      help: ArgumentHelp("One whose history it may read. Default: as --subscribe.", valueName: "pattern")
    )
    var history: [String] = []
    @Option(help: ArgumentHelp("What members show of it, a JSON value.", valueName: "json")) var info: String?
    @Option(help: "For whom it is (aud); can be repeated.") var audience: [String] = []
    @Option(help: "Who makes it (iss).") var issuer: String?
    @Flag(help: "Print the token with its claims as a JSON object, for programs.") var json = false

    func run() async throws {
      var wish = TokenMaker.Wish()
      wish.user = sub
      wish.audiences = audience
      wish.issuer = issuer
      let now = WallClock.milliseconds() / 1_000
      wish.issued = now
      if !forever {
        guard let seconds = TokenTimes.seconds(expires) else {
          throw CommandFailure("--expires is \"\(expires)\": expected a duration such as 90s, 5m, 1h or 30d")
        }
        wish.expires = now + seconds
      }
      if let info {
        let value = ByteBuffer(string: info)
        do {
          try JSONScanner.validate(value)
        } catch {
          throw CommandFailure("--info is not JSON, \(error); a text is written '\"text\"'")
        }
        wish.info = value
      }
      let granted: [Rights.Act: [String]] = [
        .subscribe: subscribe, .publish: publish, .presence: presence, .history: history,
      ]
      .filter { !$0.value.isEmpty }
      wish.granted = granted.isEmpty ? nil : granted
      var keys = try KeyFile.read(key)
      guard let index = keys.firstIndex(where: { $0.canSign && (kid == nil || $0.id == nil || $0.id == kid) })
      else {
        throw CommandFailure("\(key) has no secret and no private key\(kid.map { " called \($0)" } ?? "")")
      }
      if let kid { keys[index].id = kid }
      let token: String
      do {
        token = try await TokenMaker(keys[index]).token(wish)
      } catch let fault as TokenFault {
        throw CommandFailure("no node would take this token: \(fault.reason)")
      }
      guard json else { return print(token) }
      var object = ByteBuffer()
      object.openObject()
      object.writeMember("token", token)
      object.writeMember("claims", try UncheckedToken(token).payload)
      object.closeObject()
      print(String(buffer: object))
    }
  }
}

/// Keys from a file, with a failure that names it.
enum KeyFile {
  static func read(_ path: String) throws -> [TokenKey] {
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw CommandFailure("\(path) cannot be read")
    }
    do {
      return try TokenKey.read(Array(bytes))
    } catch {
      throw CommandFailure("\(path) holds no key for tokens: \(error)")
    }
  }
}

enum TokenTimes {
  /// `90s`, `5m`, `1h` or `30d`, more than nothing.
  static func seconds(_ text: String) -> Int64? {
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
    guard let last = text.last, let unit = units[last], let number = Int64(text.dropLast()),
      (1...1_000_000_000 / unit).contains(number)
    else { return nil }
    return number * unit
  }

  /// A time for a person, and how far away it is.
  static func text(_ milliseconds: Int64, now: Int64) -> String {
    let date = Date(timeIntervalSince1970: Double(milliseconds) / 1_000)
    let seconds = abs(milliseconds - now) / 1_000
    let distance =
      seconds < 120 ? "\(seconds) s" : seconds < 7_200 ? "\(seconds / 60) min" : "\(seconds / 3_600) h"
    return "\(date.formatted(.iso8601)) (\(milliseconds < now ? "\(distance) ago" : "in \(distance)"))"
  }
}
