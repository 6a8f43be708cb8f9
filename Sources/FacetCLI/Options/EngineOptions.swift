// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet
import Foundation

/// The values of `--precision`.
enum PrecisionChoice: String, ExpressibleByArgument, CaseIterable {
  case exact, fast

  /// The same for the library.
  var precision: Precision { self == .exact ? .exact : .fast }
}

/// How the arithmetic runs.
struct EngineOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: "Threads that share the work (default: FACET_THREADS, else one per core).")
  var threads: Int?

  @Option(help: "exact: f32 throughout; fast: the CPU's bf16 and integer products.")
  var precision: PrecisionChoice = .fast

  func validate() throws { _ = try load() }

  /// The same for the library.
  func load() throws -> LanguageModel.LoadOptions {
    LanguageModel.LoadOptions(
      threads: try Self.threads(threads), precision: precision.precision)
  }

  /// The threads that are asked for, by option or by the environment; nil: one per core.
  static func threads(_ option: Int?) throws -> Int? {
    let threads = try option ?? threadsOfEnvironment()
    do { try LanguageModel.LoadOptions(threads: threads).validate() } catch {
      throw ValidationError(error.message)
    }
    return threads
  }

  private static func threadsOfEnvironment() throws -> Int? {
    guard let text = ProcessInfo.processInfo.environment["FACET_THREADS"], !text.isEmpty else {
      return nil
    }
    guard let threads = Int(text) else {
      throw ValidationError("FACET_THREADS is '\(text)'; it must be a whole number.")
    }
    return threads
  }

  /// Loads `reference`; a model that is not there is pulled first.
  func model(_ reference: String) async throws -> Model {
    let display = PullDisplay(reference)
    defer { display.close() }
    return try await Model.load(reference, options: load()) { display.show($0) }
  }
}

/// What the shell offers where a model is expected: names, then files.
enum ModelCompletion {
  static let names = CompletionKind.custom { _, _, prefix in
    let stored = (try? ModelStore().list().map(\.name)) ?? []
    return Set(stored + Catalogue.models.map(\.name)).filter { $0.hasPrefix(prefix) }.sorted()
  }
}
