// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet

/// The values of `--speculate`.
enum SpeculationChoice: String, ExpressibleByArgument, CaseIterable {
  case off, lookup
}

/// Whether tokens are guessed ahead, and by whom.
struct SpeculationOptions: ParsableArguments {
  @Option(
    help: "lookup: guess that text repeats itself; faster where the answer copies from the prompt.")
  var speculate: SpeculationChoice?

  @Option(
    help: ArgumentHelp(
      "Let a smaller model of the same vocabulary guess ahead.", valueName: "model"),
    completion: ModelCompletion.names)
  var draft: String?

  @Option(
    parsing: .unconditional,
    help: "Most tokens to guess at once, 1 to \(Speculation.mostTokens).")
  var draftTokens: Int?

  func validate() throws {
    if draft != nil, let speculate {
      throw ValidationError(
        "--draft guesses with a model, so --speculate \(speculate.rawValue) has no place; give one of "
          + "them.")
    }
    guard let draftTokens else { return }
    if draft == nil, speculate != .lookup {
      throw ValidationError("--draft-tokens needs --draft or --speculate lookup.")
    }
    if !(1...Speculation.mostTokens).contains(draftTokens) {
      throw ValidationError(
        "--draft-tokens is \(draftTokens); it must be between 1 and \(Speculation.mostTokens).")
    }
  }

  /// The same for the library; a draft model that is not there is pulled first.
  func speculation(_ engine: EngineOptions) async throws -> Speculation? {
    let most = draftTokens ?? Speculation.mostTokens
    if let draft {
      return Speculation(.draft(try await engine.model(draft).language), tokens: most)
    }
    return speculate == .lookup ? Speculation(.lookup, tokens: most) : nil
  }
}
