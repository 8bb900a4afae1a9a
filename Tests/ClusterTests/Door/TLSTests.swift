import Foundation
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

#if canImport(Glibc)
  import Glibc
#endif

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
      let cluster = try await ClusterTests.cluster()
      try await certificate(in: cluster.directory, "one")
      let options = [
        "--tls-certificate", "\(cluster.directory)/node.crt", "--tls-key", "\(cluster.directory)/node.key",
      ]
      let ports = try FreePorts.pick(2)
      let process = try ChildProcess(
        [
          cluster.binary, "serve", "--listen", "127.0.0.1:\(ports[0])", "--operator-listen",
          "127.0.0.1:\(ports[1])",
        ] + options,
        output: "\(cluster.directory)/logs/lone.log"
      )
      let node = Endpoint(host: "127.0.0.1", port: ports[0])
      let operating = Endpoint(host: "127.0.0.1", port: ports[1])
      let outcome: Result<Void, any Error>
      do {
        try await eventually("a ready node") { (try? await HTTP.get(operating, "/readyz"))?.status == .ok }
        try await speaks(to: node, publishingBy: operating, "room:tls")
        // Who does not speak TLS gets no answer in the clear.
        let plain = try await RawConnection(to: node)
        plain.send(get("/healthz"))
        _ = try await plain.textToTheEnd()
        #expect(!plain.text.contains("HTTP/1.1"))
        try await speaksModernCiphers(at: node.port, in: cluster.directory)
        // A new certificate is taken without a restart.
        try await certificate(in: cluster.directory, "two")
        try await eventually("the new certificate", within: .seconds(60), every: .milliseconds(500)) {
          let shown = try await Shell.run(
            [
              "bash", "-c",
              "openssl s_client -connect 127.0.0.1:\(ports[0]) </dev/null 2>/dev/null | grep -m1 'subject='",
            ],
            in: cluster.directory
          )
          return shown.output.contains("two")
        }
        outcome = .success(())
      } catch {
        outcome = .failure(error)
      }
      if process.exitStatus == nil { kill(process.pid, SIGKILL) }
      _ = try await process.exit(within: .seconds(20))
      try outcome.get()
    }

    private func certificate(in folder: String, _ name: String) async throws {
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
}
