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
    var texts: [String]
    /// The beginnings of SHA-256 of texts that are not at hand.
    var textHashes: [String] = []
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
  static let isEverythingAsked = many != nil || Quality.isAsked
  /// Written answers.
  static let generation = HarnessGolden("evaluation/generation.json", rows: rows)
  /// What it makes of answers that are given to it (tools/evaluation_answer_goldens.py).
  static let answers = HarnessGolden("evaluation/answers.json", rows: rows)
  /// Some hundreds of documents a task, whose rows tools/evaluation_rows.py makes; nil: not at hand.
  static let manyRows = ProcessInfo.processInfo.environment["FACET_EVALUATION_DATA"]
  static let many = manyRows.map { HarnessGolden("evaluation/hundreds.json", rows: $0) }

  init(_ name: String, rows: String) {
    let path = Goldens.path(name)
    let bytes = (try? Data(contentsOf: URL(fileURLWithPath: path))).map { [UInt8]($0) } ?? []
    let json = (try? JSONReader.read(bytes, path: path)) ?? .null
    runs = (json["tasks"]?.array ?? []).map { value in
      let filters = value["filters"]?.object?.members ?? []
      let names = value["values"]?.array?.compactMap(\.string) ?? []
      let writes = value["kind"]?.string == "texts"
      return Run(
        task: value["task"]?.string ?? "", shots: value["shots"]?.integer ?? 0,
        metrics: Self.numbers(value["metrics"]),
        filters: filters.map { filter in
          let documents = (filter.value.array ?? []).enumerated().map { index, item in
            item.string.map { Document(brief: $0, index: index, values: names, writes: writes) }
              ?? Document(item, index: index)
          }
          return (filter.key, documents)
        },
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
  init(_ json: JSON, index: Int) {
    self.index = index
    promptHash = json["h"]?.string ?? ""
    targetHash = json["t"]?.string ?? ""
    likelihoods = json["ll"]?.array?.compactMap(\.number) ?? []
    texts = json["text"]?.array?.compactMap(\.string) ?? []
    values = HarnessGolden.numbers(json["m"])
    hasOtherTokens = json["x"] != nil
  }

  /// A line as the tool's `brief` writes it: hash, "x", log-likelihoods or hashes of texts, bar, values.
  init(brief line: String, index: Int, values names: [String], writes: Bool) {
    let halves = line.split(separator: "|", omittingEmptySubsequences: false)
    var words = halves[0].split(separator: " ").map(String.init)
    self.index = index
    promptHash = words.removeFirst()
    targetHash = ""  // what the target is decides the values
    hasOtherTokens = words.first == "x"
    if hasOtherTokens { words.removeFirst() }
    likelihoods = writes ? [] : words.map { -(Double($0) ?? .nan) / 1000 }
    texts = []
    textHashes = writes ? words : []
    let numbers = halves[1].split(separator: " ").map { Double($0) ?? .nan }
    values = Dictionary(uniqueKeysWithValues: zip(names, numbers))
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
