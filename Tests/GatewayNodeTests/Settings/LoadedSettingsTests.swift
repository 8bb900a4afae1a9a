import Logging
import NIOCore
import Testing
import Wire

@testable import GatewayNode

@Suite struct LoadedSettingsTests {
  @Test func withoutAnythingTheDefaultsHold() throws {
    let loaded = LoadedSettings(flags: [:], environment: [:])
    let settings = try loaded.checked()
    #expect(settings.listen.description == "127.0.0.1:8080")
    #expect(settings.operatorListen.description == "127.0.0.1:9090")
    #expect(settings.redis == nil)
    #expect(settings.drainWindow == .seconds(30))
    #expect(settings.settle == .seconds(5))
    #expect(settings.servesAnonymous)
    #expect(settings.namespaces == Namespaces())
    #expect(loaded.places.isEmpty)
  }

  @Test func flagsWinOverTheEnvironmentAndThatOverTheFile() throws {
    let file = try ScratchFile("listen: 127.0.0.1:1\nsettle: 1s\ndrain_window: 1m\nnode: from-file\n")
    let loaded = LoadedSettings(
      flags: [.listen: "127.0.0.1:3"],
      environment: ["SLUICE_LISTEN": "127.0.0.1:2", "SLUICE_SETTLE": "2s", "OTHER": "x"],
      path: file.path
    )
    let settings = try loaded.checked()
    #expect(settings.listen.port == 3)
    #expect(settings.settle == .seconds(2))
    #expect(settings.drainWindow == .minutes(1))
    #expect(settings.node == "from-file")
    #expect(
      loaded.places == [
        .listen: "--listen", .settle: "SLUICE_SETTLE", .drainWindow: "\(file.path): drain_window",
        .node: "\(file.path): node",
      ]
    )
  }

  @Test func theFileMayBeNamedInTheEnvironment() throws {
    let file = try ScratchFile("node: here\n")
    #expect(
      try LoadedSettings(flags: [:], environment: ["SLUICE_CONFIG": file.path]).checked().node == "here"
    )
  }

  @Test func everyMistakeIsReportedAtOnce() throws {
    let file = try ScratchFile(
      """
      lisen: 127.0.0.1:1
      settle: soon
      drain-window: 2h
      log-level: {a: b}
      namespaces:
        chat: {histroy: 5, delivery: newest, history_ttl: 1500ms}
        "a b": {history: 1}
      """
    )
    let loaded = LoadedSettings(
      flags: [.eventLoops: "0", .settle: "1s", .redis: "http://me:secret@here"],
      environment: ["SLUICE_LISTEN": "8080", "SLUICE_DRAIN_WINDO": "1s"],
      path: file.path
    )
    let texts = loaded.mistakes.map(\.description)
    #expect(
      Set(texts) == [
        "SLUICE_DRAIN_WINDO: no such setting, did you mean SLUICE_DRAIN_WINDOW?",
        "\(file.path): lisen: no such setting, did you mean listen?",
        "\(file.path): log-level.a: log-level has one value, not a mapping",
        """
        SLUICE_LISTEN is "8080": expected HOST:PORT, such as 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080
        """,
        """
        --redis is "http://me:***@here": a Redis URL looks like redis://host:6379/0; this one does not begin with \
        redis://
        """,
        "--event-loops is \"0\": expected a whole number from 1 to 1024",
        """
        \(file.path): drain-window is "2h": expected a duration from 0s to 1h, such as 500ms, 30s or 1h
        """,
        """
        \(file.path): settle is "soon": expected a duration from 0s to 10m, such as 500ms, 30s or 1h
        """,
        """
        \(file.path): namespaces.chat.histroy: unknown, did you mean history?; a namespace has history, \
        history_ttl, presence, presence_events, publish, subscribe, delivery, max_message_bytes, poll_max_age
        """,
        """
        \(file.path): namespaces.chat.delivery is "newest": expected one of log, latest, ephemeral
        """,
        """
        \(file.path): namespaces.chat.history_ttl is "1500ms": expected a duration from 1s to 8760h, such as \
        500ms, 30s or 1h
        """,
        "\(file.path): namespaces.a b.history: expected a namespace of A-Z a-z 0-9 _ . -",
      ]
    )
    #expect(texts.count == Set(texts).count)
    #expect(throws: SettingMistakes.self) { try loaded.checked() }
  }

  @Test func namespacesStartFromTheDefault() throws {
    let file = try ScratchFile(
      """
      namespaces:
        chat:
          history: 10
          presence: off
          presence_events: batched
        my.app: {delivery: latest, publish: nobody, subscribe: token, poll_max_age: 5s}
        default:
          max_message_bytes: 1KiB
          history-ttl: 2m
      """
    )
    let namespaces = try LoadedSettings(flags: [:], environment: [:], path: file.path).checked().namespaces
    #expect(namespaces.fallback.maxMessageBytes == 1_024)
    #expect(namespaces.fallback.historyTTL == 120)
    #expect(namespaces.fallback.history == 1_000)
    let chat = namespaces[try #require(ChannelName("chat:one"))]
    #expect(chat.presenceEvents == .batched && namespaces.fallback.presenceEvents == .each)
    #expect(chat.history == 10 && !chat.presence && chat.maxMessageBytes == 1_024 && chat.historyTTL == 120)
    let app = namespaces[try #require(ChannelName("my.app"))]
    #expect(
      app.delivery == .latest && app.publish == .nobody && app.subscribe == .token && app.history == 1_000
    )
    #expect(app.pollMaxAge == 5 && chat.pollMaxAge == 1)
  }

  @Test func transportsAreAList() throws {
    let file = try ScratchFile("transports: [sse, long-poll]")
    #expect(
      try LoadedSettings(flags: [:], environment: [:], path: file.path).checked().transports
        == [.eventStream, .longPoll]
    )
    let flags = try LoadedSettings(flags: [.transports: "websocket, rest"], environment: [:]).checked()
    #expect(flags.transports == [.webSocket, .rest])
    let wrong = LoadedSettings(flags: [.transports: "websocket,carrier-pigeon"], environment: [:])
    #expect(wrong.mistakes.count == 1)
  }

  @Test(arguments: ["", "\n", "# nothing\n\n  # yet\n", "---\n", "{}\n", "redis:\nlisten: null\n"])
  func aFileMayBeEmpty(_ text: String) throws {
    let file = try ScratchFile(text)
    #expect(LoadedSettings(flags: [:], environment: [:], path: file.path).mistakes.isEmpty)
  }

  @Test(arguments: ["- a\n", "plain\n", "a: [\n", "a: 1\na: 2\n", "listen: [[1]]\n"])
  func aFileThatIsNoMappingIsOneMistake(_ text: String) throws {
    let file = try ScratchFile(text)
    let mistakes = LoadedSettings(flags: [:], environment: [:], path: file.path).mistakes
    #expect(mistakes.count == 1)
    #expect(mistakes.first?.description.hasPrefix("\(file.path): is no YAML mapping of settings: ") == true)
  }

  @Test func aMissingFileIsAMistake() {
    let mistakes = LoadedSettings(flags: [:], environment: [:], path: "/nowhere/at all.yaml").mistakes
    #expect(
      mistakes.map(\.description) == ["/nowhere/at all.yaml: cannot be read: No such file or directory"]
    )
  }

  @Test func anEmptyVariableIsUnset() throws {
    let environment = ["SLUICE_REDIS": "", "SLUICE_NODE": ""]
    #expect(try LoadedSettings(flags: [:], environment: environment).checked().redis == nil)
  }

  @Test func whatIsMeantForOthersIsNoMistake() {
    let environment = [
      "SLUICE_SERVICE_HOST": "10.0.0.1", "SLUICE_SERVICE_PORT": "80", "SLUICE_SERVICE_PORT_HTTP": "80",
      "SLUICE_PORT": "tcp://10.0.0.1:80", "SLUICE_PORT_80_TCP": "tcp://10.0.0.1:80",
      "SLUICE_PORT_80_TCP_PROTO": "tcp", "SLUICE_OPERATOR": "http://x", "SLUICE_OPERATOR_KEY": "k",
      "SLUICE_URL": "http://x", "SLUICE_TOKEN": "t", "SLUICE_BINARY": "/bin/sluice",
      "SLUICE_LOCAL_DIR": "/tmp/x",
    ]
    #expect(LoadedSettings(flags: [:], environment: environment).mistakes.isEmpty)
  }

  @Test func aListIsASequenceOrHasCommas() throws {
    let ranges = ["10.0.0.0/8", "::1"].compactMap(AddressRange.init)
    let file = try ScratchFile("trusted-proxies: [10.0.0.0/8, \"::1\"]\n")
    #expect(
      try LoadedSettings(flags: [:], environment: [:], path: file.path).checked().trustedProxies == ranges
    )
    let flags = [SettingKey.trustedProxies: "10.0.0.0/8, ::1"]
    #expect(try LoadedSettings(flags: flags, environment: [:]).checked().trustedProxies == ranges)
  }

  @Test func whoEverywhereMayConnectIsAskedFor() throws {
    let outside = [SettingKey.listen: "0.0.0.0:1"]
    #expect(try !LoadedSettings(flags: outside, environment: [:]).checked().servesAnonymous)
    let allowed = outside.merging([.anonymous: "allow"]) { $1 }
    #expect(try LoadedSettings(flags: allowed, environment: [:]).checked().servesAnonymous)
    #expect(LoadedSettings(flags: [.anonymous: "yes"], environment: [:]).mistakes.count == 1)
    #expect(try !LoadedSettings(flags: [.anonymous: "deny"], environment: [:]).checked().servesAnonymous)
  }

  @Test func everySettingCanBeShownAndSaysWhatItIs() {
    for key in SettingKey.allCases {
      #expect(!NodeSettings().text(of: key).isEmpty)
      #expect(key.help.hasSuffix("."))
      #expect(!key.kind.expectation.isEmpty && !key.fallback.isEmpty)
    }
  }

  @Test func theReportShowsValuesAndPlacesButNoPassword() {
    let loaded = LoadedSettings(
      flags: [.redis: "redis://me:hunter-2@here"],
      environment: ["SLUICE_NODE": "n1"]
    )
    let report = SettingsReport(loaded).description
    #expect(report.contains("redis://me@here:6379/0") && !report.contains("hunter-2"))
    #expect(report.contains("SLUICE_NODE") && report.contains("--redis"))
    #expect(report.contains("default: history 1000, history_ttl 1h, presence true"))
  }
}
