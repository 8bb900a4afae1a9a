import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// TLS at nginx and at a node.
  @Suite struct TLSTests {
    private func get(_ path: String) -> String {
      "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n"
    }

    /// Everything over TLS, message by message, so that each goes the shortest way that there is.
    private func speaks(to endpoint: Endpoint, publishingBy operating: Endpoint, _ room: String) async throws
    {
      let channel = try #require(ChannelName(room))
      let socket = try await SecureConnection(to: endpoint)
      socket.send(RawConnection.socketHandshake)
      _ = try await socket.text(with: "welcome")
      socket.send(RawConnection.maskedText(#"{"type":"subscribe","id":1,"channel":"\#(room)"}"#))
      _ = try await socket.text(with: "subscribed")
      let stream = try await SecureConnection(to: endpoint)
      stream.send(get("/v1/stream?channels=\(room)"))
      _ = try await stream.text(with: "welcome")
      for number in 1...50 {
        _ = try await HTTP.publish([#""whisper-\#(number).""#], toAll: [channel], by: operating)
        _ = try await socket.text(with: "whisper-\(number).")
        _ = try await stream.text(with: "whisper-\(number).")
      }
      let poll = try await SecureConnection(to: endpoint)
      poll.send(get("/v1/poll?channels=\(room)&since=start&wait=5"))
      _ = try await poll.text(with: "whisper-50.")
      let history = try await SecureConnection(to: endpoint)
      history.send(get("/v1/channels/\(room)/messages"))
      _ = try await history.text(with: "whisper-50.")
      for connection in [socket, stream, poll, history] {
        #expect(connection.isAllTLS)
        #expect(!connection.leaked("whisper"))
        connection.close()
      }
    }

    /// Of TLS 1.2 it speaks what has forward secrecy and is authenticated, and nothing else.
    private func speaksModernCiphers(at port: Int, in directory: String) async throws {
      for (ciphers, isSpoken) in [
        ("ECDHE+AESGCM", true), ("ECDHE+CHACHA20", true), ("kRSA", false), ("ALL:!AESGCM:!CHACHA20", false),
      ] {
        let command =
          "openssl s_client -connect 127.0.0.1:\(port) -tls1_2 -cipher '\(ciphers):@SECLEVEL=0' </dev/null"
        let answer = try await Shell.run(["bash", "-c", command], in: directory)
        #expect((answer.status == 0) == isSpoken, "\(ciphers): \(answer.output)")
      }
    }

    @Test func nginxServesEverythingOverTLS() async throws {
      let cluster = try await ClusterTests.cluster()
      try await speaks(to: cluster.nginxOverTLS, publishingBy: cluster.operating(0), "room:tls")
      let site = "https://127.0.0.1:\(cluster.nginxOverTLS.port)"
      let page = try await Shell.run(
        ["curl", "-sk", "--http2", "-D", "-", "-o", "/dev/null", "\(site)/"],
        in: cluster.directory
      )
      #expect(page.output.hasPrefix("HTTP/2 200"))
      let cookie =
        page.output.split(whereSeparator: \.isNewline).first { $0.lowercased().hasPrefix("set-cookie") } ?? ""
      for attribute in ["HttpOnly", "SameSite=Lax", "Secure"] { #expect(cookie.contains(attribute)) }
      let old = try await Shell.run(
        ["curl", "-sk", "--tlsv1.1", "--tls-max", "1.1", "\(site)/"],
        in: cluster.directory
      )
      #expect(old.status != 0)
      try await speaksModernCiphers(at: cluster.nginxOverTLS.port, in: cluster.directory)
    }

    @Test func aNodeServesEverythingOverTLS() async throws {
      let directory = try await ClusterTests.cluster().directory
      let certificate = try await NodeCertificate(in: directory, of: "one")
      try await LoneNode.run(certificate.options) { node in
        try await speaks(to: node.endpoint, publishingBy: node.backends, "room:tls")
        // Who does not speak TLS gets no answer in the clear.
        let plain = try await RawConnection(to: node.endpoint)
        plain.send(get("/healthz"))
        _ = try await plain.textToTheEnd()
        #expect(!plain.text.contains("HTTP/1.1"))
        try await speaksModernCiphers(at: node.endpoint.port, in: directory)
        // A new certificate is taken without a restart.
        try await certificate.replace(by: "two")
        try await eventually("the new certificate", within: .seconds(60), every: .milliseconds(500)) {
          let shown = try await Shell.run(
            [
              "bash", "-c",
              "openssl s_client -connect 127.0.0.1:\(node.endpoint.port) </dev/null 2>/dev/null "
                + "| grep -m1 'subject='",
            ],
            in: directory
          )
          return shown.output.contains("two")
        }
      }
    }

    /// What a client of the node's own TLS does not read waits in the node's log, as anybody's: TLS takes all it is given,
    /// and does not say that the connection is full.
    @Test func whoReadsNothingCostsLittle() async throws {
      let certificate = try await NodeCertificate(in: try await ClusterTests.cluster().directory, of: "one")
      try await LoneNode.run(certificate.options) { node in
        let channels = (0..<50).compactMap { ChannelName("large:\($0)") }
        let stream = get("/v1/stream?since=start&channels=\(channels.map(\.text).joined(separator: ","))")
        // Who reads keeps the messages at hand for all.
        let reading = try await SecureConnection(to: node.endpoint)
        reading.send(stream)
        _ = try await reading.text(with: "welcome")
        let data = "\"\(String(repeating: "x", count: 12_000))\""
        for _ in 0..<20 { _ = try await HTTP.publish([data], toAll: channels, by: node.backends) }
        let deliveries = { try await Metrics.value("sluice_deliveries_total", of: node.backends) }
        try await eventually("messages", every: .milliseconds(50)) { try await deliveries() == 1_000 }
        let before = try node.memory()

        let publish =
          "POST /v1/channels/small/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1"
        for wish in [stream, publish + String(repeating: get("/sluice.js"), count: 300)] {
          for _ in 0..<10 {
            let silent = try await SecureConnection(to: node.endpoint)
            silent.send(get("/healthz"))
            _ = try await silent.text(with: "200 OK")
            try await silent.setReading(false)
            silent.send(wish)
          }
        }
        try await eventually("streams and requests that are answered", every: .milliseconds(50)) {
          let published = try await Metrics.value("sluice_publishes_total", of: node.backends)
          return try await deliveries() >= 1_010 && published >= 1_010
        }
        // All of it is 12 MB for each stream, and as much for each that asks for pages.
        var highest = 0
        for _ in 0..<20 {
          try await Task.sleep(for: .milliseconds(50))
          highest = max(highest, try node.memory())
        }
        #expect(highest < before + 48 << 20, "\((highest - before) >> 20) MiB more")
        print("  who reads nothing of TLS: \((highest - before) >> 20) MiB")
      }
    }
  }
}
