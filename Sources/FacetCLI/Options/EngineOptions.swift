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

/// The values of `--kv-type`.
enum KeyValueTypeChoice: String, ExpressibleByArgument, CaseIterable {
  case f32, f16, bf16, q8_0, q4_0

  /// The same for the library.
  var dtype: DType {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    case .q8_0: .q8_0
    case .q4_0: .q4_0
    }
  }
}

/// How the arithmetic runs.
struct EngineOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: "Threads that share the work (default: FACET_THREADS, else one per core).")
  var threads: Int?

  @Option(help: "exact: f32 throughout; fast: the CPU's bf16 and integer products.")
  var precision: PrecisionChoice = .fast

  @Option(
    help: ArgumentHelp(
      "How keys and values are kept (default: f16; exact: f32).",
      valueName: "type"))
  var kvType: KeyValueTypeChoice?

  func validate() throws { _ = try load() }

  /// The same for the library.
  func load() throws -> LanguageModel.LoadOptions {
    let options = LanguageModel.LoadOptions(
      threads: try Self.threads(threads), precision: precision.precision,
      instructionSet: try Self.instructionSetOfEnvironment(), keyValueType: kvType?.dtype)
    do { try options.validate() } catch { throw ValidationError(error.message) }
    return options
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

  /// The kernels that FACET_ISA asks for; nil where it asks for none.
  static func instructionSetOfEnvironment() throws -> InstructionSet? {
    guard let name = ProcessInfo.processInfo.environment["FACET_ISA"], !name.isEmpty else {
      return nil
    }
    guard let set = InstructionSet(rawValue: name), set.isAvailable else {
      let names = InstructionSet.allCases.filter(\.isAvailable).map(\.rawValue)
      throw ValidationError(
        "FACET_ISA is '\(name)'; this CPU has \(names.joined(separator: ", ")).")
    }
    return set
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
