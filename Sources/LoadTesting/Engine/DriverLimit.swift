/// When figures say more of the driver than of the server.
enum DriverLimit {
  /// Of the cores that it can use.
  static let fullCores = 0.9
  /// Of the machine.
  static let fullMachine = 0.95
  /// A loop that is so late at p99 adds that to what it measures, in microseconds.
  static let lateLoop = 10_000

  /// Why, for a person; nil when they do not.
  /// - Parameter machineBusy: the share of all the machine's cores that was in use by anyone.
  static func words(_ report: DriverReport, machineBusy: Double?) -> String? {
    var reasons: [String] = []
    let cores = Double(report.coresAvailable)
    if report.cores >= fullCores * cores {
      reasons.append("the driver used \(tenths(report.cores)) of its \(report.coresAvailable) cores")
    } else if let machineBusy, machineBusy >= fullMachine {
      reasons.append(
        """
        the machine was \(Int((machineBusy * 100).rounded())) % busy, \(tenths(report.cores)) cores of it with the \
        driver: what else runs on it, the nodes perhaps, waits for the driver and the driver for it
        """
      )
    }
    if report.lagP99Us >= lateLoop {
      reasons.append(
        "one of a hundred times a loop of the driver was \(report.lagP99Us / 1_000) ms late or more, "
          + "which the latencies include"
      )
    }
    return reasons.isEmpty ? nil : reasons.joined(separator: "; ")
  }

  private static func tenths(_ number: Double) -> String { "\((number * 10).rounded() / 10)" }
}
