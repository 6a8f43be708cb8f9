// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetEvaluation
import FacetTraining
import Foundation

/// What the command itself finds wrong: a sentence for a person.
struct Failure: Error, CustomStringConvertible {
  let description: String

  init(_ sentence: String) { description = sentence }

  /// What to say about `error`.
  static func sentence(of error: any Error) -> String {
    switch error {
    case let error as Failure: error.description
    case let error as StoreError: error.message
    case let error as CheckpointError: error.message
    case let error as ModelError: error.message
    case let error as TokenizerError: error.message
    case let error as TensorError: error.message
    case let error as GenerationError: error.message
    case let error as GuideError: error.message
    case let error as TrainingError: error.message
    case let error as EvaluationError: error.message
    default: error.localizedDescription
    }
  }
}

/// A command line that is not understood: exit code 2.
struct Misuse: Error {
  let sentence: String

  init(_ sentence: String) { self.sentence = sentence }
}
