/// Makes new inputs of old ones, by chance: what a fuzzer does that does not see which code an input reaches.
struct Mutator {
  private let inputs: [[UInt8]]
  private let words: [[UInt8]]
  private let longest: Int
  private var random: SplitMix

  init(_ target: FuzzTarget, _ corpus: Corpus, seed: UInt64) {
    inputs = corpus.inputs + [[]]
    words = target.words.map { Array($0.utf8) }
    longest = target.longest
    random = SplitMix(state: seed)
  }

  mutating func next() -> [UInt8] {
    var input = inputs.randomElement(using: &random)!
    for _ in 0..<Int.random(in: 1...4, using: &random) { change(&input) }
    return Array(input.prefix(longest))
  }

  private mutating func change(_ input: inout [UInt8]) {
    let place = Int.random(in: 0...input.count, using: &random)
    let end = Int.random(in: place...min(input.count, place + 32), using: &random)
    switch Int.random(in: 0..<9, using: &random) {
    case 0 where place < input.count: input[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1 where place < input.count: input[place] = UInt8.random(in: 0...255, using: &random)
    case 2: input.insert(UInt8.random(in: 0...255, using: &random), at: place)
    case 3: input.removeSubrange(place..<end)
    case 4: input.insert(contentsOf: input[place..<end], at: place)
    case 5:
      if let word = words.randomElement(using: &random) { input.insert(contentsOf: word, at: place) }
    case 6:
      if let word = words.randomElement(using: &random) { input.replaceSubrange(place..<end, with: word) }
    case 7:
      let other = inputs.randomElement(using: &random)!
      input.replaceSubrange(place..., with: other[Int.random(in: 0...other.count, using: &random)...])
    case 8 where place < input.count && (0x30...0x39).contains(input[place]):
      input[place] = UInt8.random(in: 0x30...0x39, using: &random)
    default: break
    }
  }
}
