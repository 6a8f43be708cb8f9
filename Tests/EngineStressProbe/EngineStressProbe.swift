// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetGuides
import FacetTensor
import FacetTestSupport
import FacetTokenizer

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Many sessions on one engine, coming and going at random: what scripts/check-threads runs under the thread
/// sanitizer.
///
/// Exits with an error when an answer is not the one that a session gives alone, or when the engine is busy
/// though nothing is left to do.
@main
struct EngineStressProbe {
  /// One request: what is asked, and after how many events its reader goes away, if it does.
  struct Request: Sendable {
    var prompt: Prompt
    var options: GenerationOptions
    var patience: Int?

    init(using generator: inout SeededGenerator) {
      let shared = (0..<30).map { TokenID(300 + $0 * 7 % 40) }
      let own = (0..<Int.random(in: 1..<30, using: &generator)).map { _ in
        TokenID.random(in: 300..<340, using: &generator)
      }
      prompt = Prompt(tokens: [2] + (Bool.random(using: &generator) ? shared : []) + own)
      options = GenerationOptions(
        sampling: Sampling(
          temperature: 1, seed: UInt64.random(in: 0..<1 << 40, using: &generator)),
        maxTokens: Int.random(in: 1..<24, using: &generator))
      if Int.random(in: 0..<4, using: &generator) == 0 {
        options.guide = .regularExpression("(abcdefgh|abcdxyz)[a-z ]{4,12}")
      }
      if Int.random(in: 0..<3, using: &generator) == 0 {
        patience = Int.random(in: 0..<8, using: &generator)
      }
    }
  }

  static func main() async throws {
    let model = try LanguageModel.load(
      path: Goldens.path("fixtures/gemma3/gemma3.gguf"),
      options: LanguageModel.LoadOptions(threads: 2, precision: .exact))
    var generator = SeededGenerator.announced("stress", salt: 31)
    let requests = (0..<64).map { _ in Request(using: &generator) }
    let engine = try Engine(
      model, options: Engine.Options(sequences: 16, prefixMemory: 2 << 20, chunk: 32))
    let found = try await withThrowingTaskGroup(of: (Int, [TokenID]).self) { group in
      for (index, request) in requests.enumerated() {
        group.addTask {
          var ids: [TokenID] = []
          var seen = 0
          for try await event in try engine.events(request.prompt, options: request.options) {
            if case .token(let token) = event { ids.append(token.id) }
            if seen == request.patience { break }
            seen += 1
            _ = engine.status
          }
          return (index, ids)
        }
      }
      group.addTask {
        _ = try await engine.score([2] + (0..<50).map { TokenID(300 + $0 % 40) }, alternatives: 3)
        return (-1, [])
      }
      var found: [Int: [TokenID]] = [:]
      for try await (index, ids) in group { found[index] = ids }
      return found
    }
    var differing = 0
    for (index, request) in requests.enumerated() where request.patience == nil {
      var ids: [TokenID] = []
      var session = try Session(model)
      try session.generate(request.prompt, options: request.options) { event in
        if case .token(let token) = event { ids.append(token.id) }
      }
      if ids != found[index] { differing += 1 }
    }
    let before = clock()
    try await Task.sleep(for: .seconds(1))
    let idle = Double(clock() - before) / 1e6  // POSIX says so
    let status = engine.status
    print(
      "\(status.finished.values.reduce(0, +)) requests in \(status.steps) steps, "
        + "\(status.finished[.cancelled] ?? 0) given up, \(differing) answers differ, "
        + "\(idle) s of processor time in an idle second")
    var stress: SessionStress? = try SessionStress(using: &generator)
    let sessions = try await stress?.run() ?? 0
    let living = try await stress?.living() ?? (count: 0, all: 0)
    weak let left = stress?.engine
    stress = nil
    print(
      "64 sessions, half of them on an engine: \(sessions) have other answers than alone; "
        + "\(living.count) of \(living.all) are left, \(left == nil ? "nor is their" : "and their") engine"
    )
    if differing > 0 || sessions > 0 || living.count > 0 || left != nil || status.running > 0
      || idle > 0.01
    {
      throw GenerationError(.mismatchedModel, "It failed.")
    }
    await engine.shutdown(deadline: .seconds(5))
  }
}
