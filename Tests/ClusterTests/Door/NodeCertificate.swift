import Testing

/// A certificate that signs itself, as a node is given one.
struct NodeCertificate {
  private let folder: String

  /// - Parameter name: whose it is.
  init(in folder: String, of name: String) async throws {
    self.folder = folder
    try await replace(by: name)
  }

  /// What a node serves TLS with.
  var options: [String] { ["--tls-certificate", "\(folder)/node.crt", "--tls-key", "\(folder)/node.key"] }

  /// Puts another one into its place.
  func replace(by name: String) async throws {
    let made = try await Shell.run(
      [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-days", "2",
        "-subj", "/CN=\(name)", "-keyout", "\(folder)/node.key.new", "-out", "\(folder)/node.crt.new",
      ],
      in: folder
    )
    #expect(made.status == 0, "\(made.output)")
    let moved = try await Shell.run(
      [
        "bash", "-c",
        "mv \(folder)/node.key.new \(folder)/node.key && mv \(folder)/node.crt.new \(folder)/node.crt",
      ],
      in: folder
    )
    #expect(moved.status == 0)
  }
}
