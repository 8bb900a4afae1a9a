import NIOCore
import Testing

@testable import GatewayNode

@Suite struct TextTests {
  @Test(arguments: [
    ("30s", TimeAmount.seconds(30)), ("500ms", .milliseconds(500)), ("1h", .hours(1)), ("0", .zero),
    ("0s", .zero), ("1m30s", .seconds(90)), ("2d", .hours(48)), ("1h0m1ms", .nanoseconds(3_600_001_000_000)),
  ])
  func readsDurations(_ text: String, _ amount: TimeAmount) {
    #expect(DurationText.read(text) == amount)
  }

  @Test(arguments: [
    "", "30", "s", "-1s", "1.5s", "30 s", "30S", "1s1m", "1s1s", "1w", "9999999999999s", "999999999999h",
    "１s",
  ])
  func refusesOtherDurations(_ text: String) {
    #expect(DurationText.read(text) == nil)
  }

  @Test(arguments: [
    (TimeAmount.seconds(30), "30s"), (.seconds(90), "90s"), (.minutes(2), "2m"), (.hours(1), "1h"),
    (.zero, "0s"), (.milliseconds(1_500), "1500ms"),
  ])
  func writesDurationsThatReadBack(_ amount: TimeAmount, _ text: String) {
    #expect(DurationText.write(amount) == text)
    #expect(DurationText.read(text) == amount)
  }

  @Test(arguments: [
    ("0", 0), ("4096", 4_096), ("64KiB", 65_536), ("1MiB", 1_048_576), ("2GiB", 2_147_483_648),
    ("10MB", 10_000_000), ("1kB", 1_000), ("7B", 7),
  ])
  func readsSizes(_ text: String, _ bytes: Int) {
    #expect(SizeText.read(text) == bytes)
  }

  @Test(arguments: ["", "KiB", "-1", "1.5KiB", "1 KiB", "1kib", "999999999999GiB"])
  func refusesOtherSizes(_ text: String) {
    #expect(SizeText.read(text) == nil)
  }

  @Test(arguments: [(65_536, "64KiB"), (1_048_576, "1MiB"), (1_000, "1000B"), (0, "0B")])
  func writesSizesThatReadBack(_ bytes: Int, _ text: String) {
    #expect(SizeText.write(bytes) == text)
    #expect(SizeText.read(text) == bytes)
  }

  @Test func findsTheNameThatWasMeant() {
    #expect(Spelling.nearest(to: "drain-windw", in: ["drain-window", "settle"]) == "drain-window")
    #expect(Spelling.nearest(to: "setle", in: ["drain-window", "settle"]) == "settle")
    #expect(Spelling.nearest(to: "banana", in: ["drain-window", "settle"]) == nil)
  }

  @Test(arguments: [
    ("redis://user:secret@host/0", "redis://user:***@host/0"), ("redis://:secret@host", "redis://:***@host"),
    ("redis://host:6379/1", "redis://host:6379/1"), ("user:p@ss@host", "user:***@host"),
    ("secret@host", "***@host"),
  ])
  func hidesPasswords(_ url: String, _ shown: String) {
    #expect(SettingKind.withoutPassword(url) == shown)
  }

  @Test(arguments: [
    ("http://u:secret@host/a?b=secret#c", "http://u:***@host/a?***"),
    ("https://secret@host", "https://***@host"),
    ("https://host:80/a@b", "https://host:80/a@b"), ("http://host?x=:@y", "http://host?***"),
    ("http://host/a#b", "http://host/a#b"),
  ])
  func hidesPasswordsOfWebURLs(_ url: String, _ shown: String) {
    #expect(SettingKind.withoutPassword(ofWebURL: url) == shown)
  }

  @Test func countsTheProcessorsAllowed() {
    #expect(
      Cores.affinity(in: Array("Name:\tx\nCpus_allowed:\tff,00000003\nCpus_allowed_list:\t0-1\n".utf8)) == 10
    )
    #expect(Cores.affinity(in: []) == nil)
    #expect(Cores.usable >= 1)
  }
}
