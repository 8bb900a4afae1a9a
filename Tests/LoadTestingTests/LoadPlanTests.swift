import LoadTesting
import NIOCore
import SluiceClient
import Testing

@Suite struct LoadPlanTests {
  private let local = Endpoint(host: "127.0.0.1", port: 8080)

  private func plan(_ scenario: LoadScenario, _ change: (inout LoadPlan) -> Void = { _ in }) -> LoadPlan {
    var plan = scenario.plan
    plan.targets = [local]
    if scenario == .rolling { plan.operators = [OperatorPlace(Endpoint(host: "127.0.0.1", port: 9090))] }
    change(&plan)
    return plan
  }

  @Test(arguments: LoadScenario.allCases) func everyScenarioIsInOrderAsItIs(_ scenario: LoadScenario) {
    #expect(plan(scenario).mistakes() == [])
    #expect(!scenario.summary.isEmpty && !scenario.promise.isEmpty)
    #expect(scenario.plan.duration > .zero)
  }

  @Test func onlyThisMachineIsLoadedUnlessItIsOnesOwn() {
    for host in ["10.0.0.1", "example.org", "0.0.0.0", "127.example.org", "::2"] {
      let mistakes = plan(.idle) { $0.targets = [Endpoint(host: host, port: 80)] }.mistakes()
      #expect(mistakes.count == 1 && mistakes[0].contains("--i-own-this-target"), "\(host): \(mistakes)")
    }
    for host in ["127.0.0.1", "127.3.2.1", "::1", "localhost"] {
      #expect(plan(.idle) { $0.targets = [Endpoint(host: host, port: 80)] }.mistakes() == [], "\(host)")
    }
    let owned = plan(.idle) {
      $0.targets = [Endpoint(host: "10.0.0.1", port: 80)]
      $0.ownsTarget = true
    }
    #expect(owned.mistakes() == [])
  }

  @Test func anOperatorElsewhereIsRefusedToo() {
    let mistakes = plan(.fanout) { $0.operators = [OperatorPlace(Endpoint(host: "10.0.0.1", port: 9090))] }
      .mistakes()
    #expect(mistakes.count == 1)
  }

  @Test func everyMistakeIsTold() {
    let mistakes = plan(.fanout) {
      $0.targets = []
      $0.connections = 0
      $0.channels = 0
      $0.size = 10
      $0.publishers = 0
      $0.rounds = 0
      $0.inFlight = 0
      $0.connectRate = 0
    }.mistakes()
    for word in [
      "no target", "--connections", "--channels", "--size", "--publishers", "--rounds", "--in-flight",
      "--connect-rate",
    ] {
      #expect(mistakes.count { $0.contains(word) } == 1, "\(word) in \(mistakes)")
    }
  }

  @Test func whatAScenarioNeedsIsAskedFor() {
    #expect(plan(.rolling) { $0.operators = [] }.mistakes().contains { $0.contains("--command") })
    #expect(plan(.slowReaders) { $0.slow = nil }.mistakes().contains { $0.contains("--slow") })
    for scenario in [LoadScenario.storm, .resume, .slowReaders] {
      #expect(plan(scenario) { $0.rate = 0 }.mistakes().contains { $0.contains("--rate") })
    }
    #expect(plan(.fanout) { $0.publishOver = .operatorAPI }.mistakes().contains { $0.contains("--operator") })
    #expect(plan(.rooms) { $0.connections = 4 }.mistakes().contains { $0.contains("only 4 clients") })
  }

  @Test func moreConnectionsThanOpenFilesAreRefusedWithAWayOut() throws {
    let words = try #require(plan(.idle) { $0.connections = 100_000_000 }.limitMistake())
    #expect(words.contains("--join") && words.contains("open files"))
    #expect(plan(.idle) { $0.connections = 10 }.limitMistake() == nil)
  }

  @Test func moreThanOneSourceIsTakenWhereOneHasTooFewPorts() {
    #expect(plan(.idle) { $0.connections = 500 }.sourcesNow == [])
    #expect(plan(.idle) { $0.connections = 1_200 }.sourcesNow == ["127.0.0.2", "127.0.0.3", "127.0.0.4"])
    let two = plan(.idle) {
      $0.connections = 1_000
      $0.targets = [local, Endpoint(host: "127.0.0.1", port: 8081)]
    }
    #expect(two.sourcesNow == [])
    #expect(plan(.idle) { $0.sources = SourceAddresses(["127.0.0.9"]) }.sourcesNow == ["127.0.0.9"])
  }

  @Test func thePlanIsToldInTheWordsOfTheCommandLine() {
    let settings = plan(.slowReaders).settings
    let value = { (name: String) in settings.first { $0.name == name }?.value }
    #expect(value("target") == "http://127.0.0.1:8080")
    #expect(value("connections") == "500")
    #expect(value("transports") == "websocket=70,sse=30")
    #expect(value("slow") == "10%@2KB/s")
    #expect(value("duration") == "30s")
    #expect(value("rate") == "200")
  }
}
