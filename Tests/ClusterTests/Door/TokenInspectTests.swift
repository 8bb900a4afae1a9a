import Testing

extension ClusterTests {
  /// What `sluice token inspect` says of a token is what a node does with it.
  @Suite struct TokenInspectTests {
    @Test func aTokenIsGoodWhereANodeTakesIt() async throws {
      let cluster = try await ClusterTests.cluster()
      let keys = try DoorKeys(cluster)
      let inspect = { (token: String, options: [String]) in
        try await Shell.run(
          [cluster.binary, "token", "inspect", token, "--key", keys.path] + options,
          in: cluster.directory
        )
      }
      let made = try await Shell.run(
        [cluster.binary, "token", "make", "--key", keys.path, "--forever"],
        in: cluster.directory
      )
      let endless = made.output.filter { !$0.isWhitespace }
      let late = try await DoorKeys.token(lasting: -10)
      for (token, options, verdict) in [
        (endless, [], "refused: it has no exp"), (endless, ["--expiry", "optional"], "good"),
        (late, ["--leeway", "20m"], "good"), (late, ["--leeway", "0s"], "refused: it has expired"),
        (try await DoorKeys.token(), [], "good"),
      ] {
        let said = try await inspect(token, options)
        #expect(said.output.contains(verdict), "\(said.output)")
        #expect((said.status == 0) == (verdict == "good"))
      }
      for options in [["--expiry", "never"], ["--leeway", "soon"]] {
        #expect(try await inspect(endless, options).status != 0)
      }
    }
  }
}
