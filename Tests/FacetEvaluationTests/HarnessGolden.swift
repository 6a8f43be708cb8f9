// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import FacetJSON
import FacetTestSupport
import Foundation
import Testing

/// What lm-evaluation-harness says of Gemma 3 270M (tools/evaluation_goldens.py).
struct HarnessGolden: Sendable {
  /// One task at some number of examples.
  struct Run: Sendable, CustomTestStringConvertible {
    var task: String
    var shots: Int
    var metrics: [String: Double]
    /// Filter → documents.
    var filters: [(name: String, documents: [Document])]
    /// Where the rows are.
    var directory: String

    var testDescription: String { "\(task), \(shots) examples" }
  }

  /// One document after one filter.
  struct Document: Sendable {
    var index: Int
    var promptHash: String
    var targetHash: String
    var likelihoods: [Double]
    var greedy: [Bool]
    var texts: [String]
    var values: [String: Double]
    /// Whether transformers read the text as other tokens than sentencepiece.
    var hasOtherTokens: Bool
  }

  let runs: [Run]

  /// The rows that the repository holds.
  static let rows = Goldens.path("evaluation/rows")
  /// Scores of choices and texts.
  static let likelihood = HarnessGolden("evaluation/likelihood.json", rows: rows)
  /// Those that take a model only some seconds; scripts/check-quality asks for all.
  static let quick = likelihood.runs.filter { run in
    run.documents.reduce(0) { $0 + $1.likelihoods.count } <= 20 && run.shots < 4
      && !["boolq", "wikitext"].contains(run.task)
  }
  /// What a run of the model is compared with.
  static let asked = isEverythingAsked ? likelihood.runs : quick
  static let isEverythingAsked = large != nil || Quality.isAsked
  /// Written answers.
  static let generation = HarnessGolden("evaluation/generation.json", rows: rows)
  /// What it makes of answers that are given to it (tools/evaluation_answer_goldens.py).
  static let answers = HarnessGolden("evaluation/answers.json", rows: rows)
  /// Some hundreds of documents, whose rows tools/evaluation_rows.py makes; nil: not at hand.
  static let largeRows = ProcessInfo.processInfo.environment["FACET_EVALUATION_DATA"]
  static let large = largeRows.map { HarnessGolden("evaluation/large.json", rows: $0) }

  init(_ name: String, rows: String) {
    let path = Goldens.path(name)
    let bytes = (try? Data(contentsOf: URL(fileURLWithPath: path))).map { [UInt8]($0) } ?? []
    let json = (try? JSONReader.read(bytes, path: path)) ?? .null
    runs = (json["tasks"]?.array ?? []).map { value in
      let filters = value["filters"]?.object?.members ?? []
      return Run(
        task: value["task"]?.string ?? "", shots: value["shots"]?.integer ?? 0,
        metrics: Self.numbers(value["metrics"]),
        filters: filters.map { ($0.key, ($0.value.array ?? []).map(Document.init)) },
        directory: rows)
    }
  }

  static func numbers(_ json: JSON?) -> [String: Double] {
    var result: [String: Double] = [:]
    for member in json?.object?.members ?? [] { result[member.key] = member.value.number }
    return result
  }
}

extension HarnessGolden.Document {
  init(_ json: JSON) {
    index = json["i"]?.integer ?? -1
    promptHash = json["h"]?.string ?? ""
    targetHash = json["t"]?.string ?? ""
    likelihoods = json["ll"]?.array?.compactMap(\.number) ?? []
    greedy = (json["g"]?.string ?? "").map { $0 == "1" }
    texts = json["text"]?.array?.compactMap(\.string) ?? []
    values = HarnessGolden.numbers(json["m"])
    hasOtherTokens = json["x"] != nil
  }
}

extension HarnessGolden.Run {
  /// The task's definition.
  func definition() throws -> TaskDefinition {
    try TaskCatalogue().tasks(named: task)[0]
  }

  /// The documents, without regard to filters.
  var documents: [HarnessGolden.Document] { filters.first?.documents ?? [] }
}
