public import Foundation

/// What a process says to the one that started it, a line of JSON each.
public enum WorkerWord: Codable, Sendable {
  case phase(String)
  case sample(LoadSample, LoadTotals, expected: Double?)
  case mark(LoadMark)
  case waits(LoadMeeting)
  case published([LedgerPage])
  case result(LoadResult)
  case failed(String)
}

/// What it is told.
public enum HubWord: Codable, Sendable, Equatable {
  /// All have come as far.
  case goOn(LoadMeeting)
  case published([LedgerPage])
  /// The run is ended early.
  case end
}

extension WorkerWord {
  public init(line: Data) throws { self = try JSONDecoder().decode(WorkerWord.self, from: line) }

  /// With its end.
  public func line() throws -> Data { try JSONEncoder().encode(self) + Data("\n".utf8) }
}

extension HubWord {
  public init(line: Data) throws { self = try JSONDecoder().decode(HubWord.self, from: line) }

  /// With its end.
  public func line() throws -> Data { try JSONEncoder().encode(self) + Data("\n".utf8) }
}

/// Cuts what a pipe brings into lines.
public struct LineCutter: Sendable {
  private var rest = Data()

  public init() {}

  /// Whole lines, without their ends.
  public mutating func cut(_ data: Data) -> [Data] {
    var lines: [Data] = []
    var data = data[...]
    while let end = data.firstIndex(of: UInt8(ascii: "\n")) {
      lines.append(rest + data[data.startIndex..<end])
      rest = Data()
      data = data[(end + 1)...]
    }
    rest += data
    return lines
  }
}
