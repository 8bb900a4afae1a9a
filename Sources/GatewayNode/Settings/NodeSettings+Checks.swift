extension NodeSettings {
  /// What no setting can say alone. Reads the operator key.
  mutating func check(_ reader: inout SettingsReader) {
    checkListeners(&reader)
    readOperatorKey(&reader)
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

  private mutating func readOperatorKey(_ reader: inout SettingsReader) {
    guard let path = operatorKeyFile else { return }
    let place = reader.place(of: .operatorKeyFile)
    do {
      let text = String(decoding: try TextFile.read(path), as: UTF8.self)
      let key = text.split(whereSeparator: \.isWhitespace)
      guard key.count == 1, key[0].utf8.count >= 16, key[0].utf8.allSatisfy({ (0x21...0x7e).contains($0) })
      else {
        reader.found(
          SettingMistake(
            place,
            value: path,
            "expected one line of at least 16 visible characters in the file"
          )
        )
        return
      }
      operatorKey = String(key[0])
    } catch {
      reader.found(SettingMistake(place, value: path, "cannot be read: \(error)"))
    }
  }
}
