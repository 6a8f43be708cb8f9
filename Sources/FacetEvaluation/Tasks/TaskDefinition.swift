// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetJSON

/// What a benchmark asks, and how answers are scored: one file of JSON, described in docs/evaluation.md.
public struct TaskDefinition: Sendable {
  /// What a model is asked for.
  package enum Kind: String, Sendable { case choice = "multiple_choice", generation, perplexity }

  /// Where examples before a question come from.
  package enum Sampler: String, Sendable {
    /// Drawn anew for every document, with Python's random numbers.
    case random
    /// Drawn so, one more than are wanted, and the document itself left out: what lm-eval does where a
    /// task has no test split.
    case randomOthers = "random_others"
    /// The first ones.
    case first
    /// A text that stands in a file and has them all.
    case preamble
  }

  /// Where the rows are.
  package struct Source: Sendable {
    /// The folder below the directory of data.
    package var folder: String
    /// The names with which files of documents begin; the first that exists counts.
    package var documents: [String]
    /// The same for examples.
    package var examples: [String]
    /// Rows that belong to the task.
    package var conditions: [RowCondition]
    /// Where the rows can be had; nil where the Hub has them in no form that the task reads.
    package var hub: HubDataset?
  }

  /// How an answer is written.
  package struct Generation: Sendable {
    /// Texts at which it ends.
    package var stops: [String] = []
    /// Tokens that it may have.
    package var mostTokens = 256
    /// 0: always the likeliest token; otherwise tokens are drawn.
    package var temperature = 0.0
    /// Answers to each question.
    package var repeats = 1

    /// One answer, of the likeliest tokens, up to one of `stops`.
    package init(stops: [String] = [], mostTokens: Int = 256) {
      self.stops = stops
      self.mostTokens = mostTokens
    }
  }

  /// The name.
  public internal(set) var name: String
  /// What tables show.
  public internal(set) var alias: String
  /// The group that it is part of.
  public internal(set) var group: String?
  /// The version of the definition.
  public internal(set) var version: Double
  /// Examples before a question, unless somebody wants others.
  public internal(set) var shots: Int
  package var kind: Kind
  package var source: Source
  package var preparation: RowPreparation?
  package var sampler: Sampler
  package var preamble: String?
  /// A text in the preamble and what takes its place; empty: nothing does.
  package var preambleReplacement: [String]
  /// Examples that stand in the file itself.
  package var ownExamples: [JSON]?
  package var description: String
  package var text: Template
  /// What stands before each choice, where the choice is in the context.
  package var contexts: Template?
  package var choices: ChoiceTemplate?
  package var gold: Template?
  package var target: Template?
  package var exampleTarget: Template?
  package var targetDelimiter: String
  package var exampleDelimiter: String
  package var generation: Generation
  package var filters: [AnswerFilter]
  package var match: ExactMatch
  package var scorer: Scorer
  package var metrics: [String]
  /// The file, with its variant written in.
  package var json: JSON
}

/// The choices of a question: a list of templates, or one that gives a list.
package enum ChoiceTemplate: Sendable {
  case each([Template])
  case all(Template)

  /// The choices of `row`.
  func values(_ row: JSON) throws(EvaluationError) -> [String] {
    var result: [String] = []
    switch self {
    case .each(let templates): for template in templates { result.append(try template.text(row)) }
    case .all(let template):
      guard let elements = try template.value(row).array else {
        throw EvaluationError(.invalidData, "The choices are no list.")
      }
      for element in elements { result.append(try Template.text(of: element, "choices")) }
    }
    guard !result.isEmpty else { throw EvaluationError(.invalidData, "There are no choices.") }
    return result
  }
}

/// What a row must have in a field to belong to a task.
package enum RowCondition: Sendable {
  case equals(field: String, JSON)
  case lies(field: String, ClosedRange<Int>)

  /// Whether `row` belongs.
  func holds(for row: JSON) -> Bool {
    switch self {
    case .equals(let field, let value): row[field] == value
    case .lies(let field, let range): row[field]?.integer.map(range.contains) ?? false
    }
  }
}

/// Where the Hugging Face Hub has a task's data.
package struct HubDataset: Sendable, Hashable {
  /// `owner/name`.
  package var dataset: String
  /// Which of the set's configurations.
  package var configuration: String
  /// The splits, which are also the names of the files.
  package var splits: [String]
  /// The folder below the directory of data.
  package var folder: String
}
