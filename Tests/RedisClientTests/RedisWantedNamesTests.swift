import Testing

@testable import RedisClient

struct RedisWantedNamesTests {
  private typealias Request = RedisWantedNames.Request

  @Test func asksInChunksWithinTheWindow() {
    var names = RedisWantedNames(chunk: 2, window: 3)
    names.linkUp()
    for name in ["a", "b", "c", "d"] { names.want(name) }
    #expect(
      names.takeRequests() == [
        Request(subscribes: true, names: ["a", "b"]), Request(subscribes: true, names: ["c"]),
      ]
    )
    #expect(names.takeRequests() == [])
    #expect(!names.hasWork)
    #expect(names.answered("a", subscribed: true) == true)
    #expect(names.hasWork)
    #expect(names.takeRequests() == [Request(subscribes: true, names: ["d"])])
    #expect(names.isConfirmed("a"))
    #expect(!names.isConfirmed("d"))
  }

  @Test func wishesThatCancelOutCostNothing() {
    var names = RedisWantedNames(chunk: 10, window: 10)
    names.linkUp()
    names.want("a")
    names.unwant("a")
    #expect(names.takeRequests() == [])
    names.want("a")
    names.want("a")
    #expect(names.takeRequests() == [Request(subscribes: true, names: ["a"])])
    #expect(names.answered("a", subscribed: true) == true)
    names.unwant("a")
    names.want("a")
    #expect(names.takeRequests() == [])
    #expect(names.count == 1)
  }

  /// The answer to the first of three requests does not confirm the third.
  @Test func confirmsOnlyTheLastRequest() {
    var names = RedisWantedNames(chunk: 10, window: 10)
    names.linkUp()
    names.want("a")
    _ = names.takeRequests()
    names.unwant("a")
    _ = names.takeRequests()
    names.want("a")
    _ = names.takeRequests()
    #expect(names.answered("a", subscribed: true) == false)
    #expect(names.answered("a", subscribed: false) == false)
    #expect(!names.isConfirmed("a"))
    #expect(names.answered("a", subscribed: true) == true)
    #expect(names.isConfirmed("a"))
  }

  @Test func resumesWhatIsWanted() {
    var names = RedisWantedNames(chunk: 10, window: 10)
    for name in ["a", "b", "c"] { names.want(name) }
    names.linkUp()
    #expect(!names.isResumed)
    #expect(names.takeRequests().flatMap(\.names).sorted() == ["a", "b", "c"])
    #expect(names.answered("a", subscribed: true) == true)
    names.unwant("b")
    #expect(!names.isResumed)
    #expect(names.answered("c", subscribed: true) == true)
    #expect(names.isResumed)
    names.linkDown()
    #expect(!names.isConfirmed("a"))
    names.linkUp()
    #expect(names.takeRequests().flatMap(\.names).sorted() == ["a", "c"])
  }

  /// Random wishes, losses and answers against a model of the server: what is confirmed is subscribed there,
  /// and in the end the server has exactly what is wanted.
  @Test func agreesWithAServer() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix(state: seed)
    for _ in 0..<300 {
      var names = RedisWantedNames(chunk: 3, window: 5)
      var server = ServerModel()
      var wanted: Set<String> = []
      names.linkUp()
      for _ in 0..<200 {
        let name = String("abcdefgh".randomElement(using: &random)!)
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<6:
          names.want(name)
          wanted.insert(name)
        case 6..<11:
          names.unwant(name)
          wanted.remove(name)
        case 11..<15: server.takes(names.takeRequests())
        case 15..<19:
          if let answer = server.answers() { _ = names.answered(answer.name, subscribed: answer.isOn) }
        default:
          server = ServerModel()
          names.linkUp()
        }
        for name in wanted where names.isConfirmed(name) {
          #expect(server.told[name] == true && server.asked[name] == true, "seed \(seed)")
        }
      }
      var rounds = 0
      while rounds < 1_000 {
        rounds += 1
        server.takes(names.takeRequests())
        guard let answer = server.answers() else { break }
        _ = names.answered(answer.name, subscribed: answer.isOn)
      }
      #expect(Set(server.asked.filter(\.value).keys) == wanted, "seed \(seed)")
      #expect(wanted.allSatisfy(names.isConfirmed), "seed \(seed)")
      #expect(names.isResumed)
    }
  }
}

/// What a server has been asked for, and what it has answered of that.
private struct ServerModel {
  var asked: [String: Bool] = [:]
  var told: [String: Bool] = [:]
  private var answersDue: [(name: String, isOn: Bool)] = []

  mutating func takes(_ requests: [RedisWantedNames.Request]) {
    for request in requests {
      for name in request.names {
        asked[name] = request.subscribes
        answersDue.append((name, request.subscribes))
      }
    }
  }

  mutating func answers() -> (name: String, isOn: Bool)? {
    guard !answersDue.isEmpty else { return nil }
    let answer = answersDue.removeFirst()
    told[answer.name] = answer.isOn
    return answer
  }
}
