/// Finds the name that was meant.
enum Spelling {
  /// The nearest of `names`, when few letters are between it and `word`.
  static func nearest(to word: String, in names: [String]) -> String? {
    let most = max(2, word.count / 3)
    return names.map { (name: $0, distance: distance(word, $0)) }
      .filter { $0.distance <= most }
      .min { $0.distance < $1.distance }?.name
  }

  /// ", did you mean …?" or nothing.
  static func hint(for word: String, in names: [String]) -> String {
    nearest(to: word, in: names).map { ", did you mean \($0)?" } ?? ""
  }

  /// Letters to insert, delete or replace (Levenshtein).
  private static func distance(_ left: String, _ right: String) -> Int {
    let right = Array(right)
    var row = Array(0...right.count)
    for (index, letter) in left.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for column in right.indices {
        let replaced = diagonal + (letter == right[column] ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(replaced, row[column] + 1, diagonal + 1)
      }
    }
    return row[right.count]
  }
}
