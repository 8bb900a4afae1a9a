internal import Admission

extension NodeSettings {
  /// What no setting can say alone. Reads the keys.
  mutating func check(_ reader: inout SettingsReader) {
    checkListeners(&reader)
    readOperatorKeys(&reader)
    readTokenKeys(&reader)
    checkTLS(&reader)
    checkWebhook(&reader)
    if !operatorListen.isLoopback, operatorKeyFile == nil {
      reader.found(
        SettingMistake(
          reader.place(of: .operatorListen),
          value: operatorListen.description,
          "beyond loopback the operator listener needs a key, \(SettingKey.operatorKeyFile.flag) FILE"
        )
      )
    }
    if writeBufferLow >= writeBufferHigh {
      reader.found(
        SettingMistake(
          reader.place(of: .writeBufferLow),
          value: SizeText.write(writeBufferLow),
          "expected less than write-buffer-high, which is \(SizeText.write(writeBufferHigh))"
        )
      )
    }
    if pollInterval > pollIntervalMaximum {
      reader.found(
        SettingMistake(
          reader.place(of: .pollInterval),
          value: DurationText.write(pollInterval),
          "expected no more than poll-interval-max, which is \(DurationText.write(pollIntervalMaximum))"
        )
      )
    }
    if ringBytes > ringMemory {
      reader.found(
        SettingMistake(
          reader.place(of: .ringBytes),
          value: SizeText.write(ringBytes),
          "expected no more than ring-memory, which is \(SizeText.write(ringMemory))"
        )
      )
    }
  }

  /// What is no mistake, and should be known.
  var concerns: [String] { descriptorConcerns() + webhookConcerns }

  private func checkListeners(_ reader: inout SettingsReader) {
    guard listen == operatorListen, listen.port != 0 else { return }
    reader.found(
      SettingMistake(
        reader.place(of: .operatorListen),
        value: operatorListen.description,
        "expected another address than listen has"
      )
    )
  }

  private mutating func readOperatorKeys(_ reader: inout SettingsReader) {
    guard let path = operatorKeyFile else { return }
    let place = reader.place(of: .operatorKeyFile)
    do {
      guard let keys = OperatorKey.read(String(decoding: try TextFile.read(path), as: UTF8.self)) else {
        let expected =
          "expected lines of KEY, or read|act KEY [NAME], a key of at least 16 visible characters, in the file"
        return reader.found(SettingMistake(place, value: path, expected))
      }
      operatorKeys = keys
    } catch {
      reader.found(SettingMistake(place, value: path, "cannot be read: \(error)"))
    }
  }
}
