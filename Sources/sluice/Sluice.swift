import ArgumentParser
@main struct Sluice: AsyncParsableCommand { func run() async throws {} }
