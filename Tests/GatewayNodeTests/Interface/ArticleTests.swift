import Foundation
import GatewayNode
import Testing
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
}
