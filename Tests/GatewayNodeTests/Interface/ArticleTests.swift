import Foundation
import GatewayNode
import Testing
import Transports
import Wire

/// What the articles say in tables, against what they say it of.
@Suite struct ArticleTests {
  private func article(_ name: String) throws -> String {
    var folder = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { folder.deleteLastPathComponent() }
    let path = "\(folder.path)/Sources/GatewayNode/GatewayNode.docc/\(name).md"
    return try String(contentsOfFile: path, encoding: .utf8)
  }

  @Test func everySettingIsInItsArticle() throws {
    let text = try article("Settings")
    for key in SettingKey.allCases {
      let row = "| `\(key.rawValue)` | \(key.fallback) | \(key.help) |"
      #expect(text.contains("\n\(row)\n"), "Settings.md lacks this row: \(row)")
    }
  }

  @Test func everyErrorIsInItsArticle() throws {
    let text = try article("Interface")
    for code in ErrorCode.allCases {
      let rule = code.rule
      let again = rule.retryAfterMS.map { "after \($0) ms " } ?? ""
      let row = "| `\(code.rawValue)` | \(rule.httpStatus) | \(rule.closeCode.rawValue) | \(again)|"
      #expect(text.contains("\n\(row)\n"), "Interface.md lacks this row: \(row)")
    }
  }

  /// Every reason stands in the last column of the table of limits, and no other does.
  @Test func everyLimitIsInItsArticle() throws {
    let table = try #require(
      try article("Interface").split(separator: "\n## ").first { $0.hasPrefix("Limits\n") }
    )
    var told: Set<String> = []
    for row in table.split(separator: "\n") where row.hasPrefix("| ") && row.hasSuffix("` |") {
      let last = try #require(row.split(separator: "|").last { !$0.allSatisfy(\.isWhitespace) })
      told.formUnion(last.matches(of: /`([a-z_]+)`/).map { String($0.1) }.filter { !$0.hasPrefix("sluice_") })
    }
    told.subtract(["reason"])
    let counted = Set(RefusalMetrics().all.map(\.reason)).union(["draining", "accept_rate"])
    #expect(told == counted)
  }
}
