/// What the process that started the others makes of what they say.
public struct LoadHub: Sendable {
  public enum Action: Sendable {
    case tellAll(HubWord)
    case phase(String)
    case sample(LoadSample, LoadTotals, expected: Double?)
    case mark(LoadMark)
    /// All have brought their results.
    case done(LoadResult)
    /// One cannot go on, so none can.
    case failed(String)
  }

  private struct Worker {
    var sample: LoadSample?
    var totals = LoadTotals()
    var meeting: LoadMeeting?
    var pages: [LedgerPage]?
    var result: LoadResult?
  }

  private var workers: [Worker]
  private var isOver = false
  private var wasExchanged = false
  /// What several of them say is passed on once.
  private var lastPhase = ""
  private var marks: Set<String> = []

  public init(workers: Int) {
    self.workers = Array(repeating: Worker(), count: workers)
  }

  public mutating func heard(_ word: WorkerWord, from index: Int) -> [Action] {
    guard !isOver else { return [] }
    switch word {
    case .phase(let text):
      guard text != lastPhase else { return [] }
      lastPhase = text
      return [.phase(text)]
    case .mark(let mark):
      return marks.insert("\(mark.kind) \(mark.text)").inserted ? [.mark(mark)] : []
    case .sample(let sample, let totals, let expected):
      workers[index].sample = sample
      workers[index].totals = totals
      // All say it each second; the first one sets the beat.
      guard index == 0 else { return [] }
      return [.sample(sumOfSamples(at: sample.atS), sumOfTotals, expected: expected)]
    case .waits(let meeting):
      workers[index].meeting = meeting
      guard workers.allSatisfy({ $0.meeting == meeting }) else { return [] }
      for index in workers.indices { workers[index].meeting = nil }
      return [.tellAll(.goOn(meeting))]
    case .published(let pages):
      workers[index].pages = pages
      return exchange()
    case .result(let result):
      workers[index].result = result
      let all = workers.compactMap(\.result)
      guard all.count == workers.count else { return exchange() }
      isOver = true
      return [.done(LoadResult.joined(all))]
    case .failed(let reason):
      isOver = true
      return [.failed(reason)]
    }
  }

  /// A process is gone.
  public mutating func ended(_ index: Int, _ how: String) -> [Action] {
    guard !isOver, workers[index].result == nil else { return [] }
    isOver = true
    return [.failed("process \(index + 1) of \(workers.count) \(how)")]
  }

  /// Tells what all published, when each has said it or has come to its end without.
  private mutating func exchange() -> [Action] {
    guard !wasExchanged, workers.contains(where: { $0.pages != nil }),
      workers.allSatisfy({ $0.pages != nil || $0.result != nil })
    else { return [] }
    wasExchanged = true
    return [.tellAll(.published(workers.flatMap { $0.pages ?? [] }))]
  }

  private func sumOfSamples(at seconds: Double) -> LoadSample {
    LoadSample.sum(workers.compactMap(\.sample), at: seconds)
  }

  private var sumOfTotals: LoadTotals {
    workers.reduce(into: LoadTotals()) { $0.add($1.totals) }
  }
}
