import Foundation

/// What libFuzzer calls: once before all, and then with each input. `SLUICE_FUZZ_TARGET` names the target.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
  let words = (1..<Int(count.pointee)).compactMap { arguments.pointee[$0].map { String(cString: $0) } }
  if let chore = Chore(words) {
    do {
      try chore.perform()
      exit(0)
    } catch {
      fail("\(error)")
    }
  }
  _ = chosen
  return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func tryOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  do {
    try chosen.check(Array(UnsafeBufferPointer(start: start, count: count)))
  } catch {
    fatalError("\(chosen.name): \(error)")
  }
  return 0
}

private let chosen: FuzzTarget = {
  let name = ProcessInfo.processInfo.environment["SLUICE_FUZZ_TARGET"] ?? ""
  guard let target = FuzzTarget.named(name) else {
    fail("SLUICE_FUZZ_TARGET is \"\(name)\": no target of that name")
  }
  return target
}()

func fail(_ reason: String) -> Never {
  FileHandle.standardError.write(Data("fuzz: \(reason)\n".utf8))
  exit(1)
}
