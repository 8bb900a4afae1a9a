import Foundation
import LoadTesting

/// A result as it was written once; it must stay readable.
enum SampleResult {
  static let json = Data(PackageResources.fanout_json)

  static func read() throws -> LoadResult { try LoadResult(json: json) }
}
