// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetModel
import FacetTensor
import FacetTestSupport
import Foundation
import Testing

/// What an independent implementation makes of a fixture (Tests/Goldens/PROVENANCE.md).
struct Oracle: Decodable {
  /// The residual stream at one tap point.
  struct Rows: Decodable {
    let point: String
    /// Of every row.
    let means: [Float]
    /// Of every row.
    let rms: [Float]
    /// The last row, whole.
    let last: [Float]
  }

  /// The best logits of a row.
  struct Best: Decodable {
    let ids: [Int]
    let logits: [Float]
  }

  struct Prompt: Decodable {
    let name: String
    let tokens: [Int32]
    let greedy: [Int32]
    let taps: [Rows]
    let logits: [Float]
    let best: [Best]
  }

  let prompts: [Prompt]

  static let families = ["gemma1", "gemma2", "gemma3", "llama", "mistral"]
  static let prompts = ["one", "short", "long", "full"]

  init(_ family: String) throws {
    let url = URL(fileURLWithPath: Goldens.path("fixtures/\(family)/goldens.json"))
    self = try JSONDecoder().decode(Oracle.self, from: Data(contentsOf: url))
  }

  static func prompt(_ name: String, _ family: String) throws -> Prompt {
    struct Absent: Error {}
    guard let prompt = try Oracle(family).prompts.first(where: { $0.name == name }) else {
      throw Absent()
    }
    return prompt
  }
}

/// Where a pass computes.
struct Place: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let backend: any Backend

  /// The plain twin and the kernels of every instruction set that this machine has.
  static let exact: [Place] =
    [Place(testDescription: "reference", backend: ReferenceBackend())] + cpu(.exact)

  static func cpu(_ precision: Precision) -> [Place] {
    InstructionSet.available.compactMap { set in
      CPUBackend(threads: 2, precision: precision, instructionSet: set).map {
        Place(testDescription: "\(set) \(precision)", backend: $0)
      }
    }
  }

  /// The best kernels, exact.
  static func best() -> any Backend {
    CPUBackend(threads: 2, precision: .exact) ?? ReferenceBackend() as any Backend
  }
}

extension Transformer {
  /// The fixture of `family`, from its GGUF file unless `path` names another form of it.
  init(_ family: String, path: String? = nil, on backend: any Backend = Place.best()) throws {
    let path = path ?? Goldens.path("fixtures/\(family)/\(family).gguf")
    let checkpoint = try Checkpoint.open(path)
    let configuration = try ModelConfiguration(checkpoint.architecture)
    self.init(
      configuration: configuration,
      weights: try ModelWeights(checkpoint, configuration: configuration), on: backend)
  }

  /// Logits [T · V] of `tokens`, read `chunk` at a time into `cache`.
  func logits(of tokens: [Int32], chunk: Int, cache: KVCache) throws -> [Float] {
    let workspace = Workspace()
    var all: [Float] = []
    for start in stride(from: 0, to: tokens.count, by: chunk) {
      let part = Array(tokens[start..<min(start + chunk, tokens.count)])
      all += try forward(Batch(part, cache: cache, logits: .all), workspace: workspace).floats()
    }
    return all
  }

  /// The likeliest token after each token, from the end of `prompt` on.
  func greedy(_ prompt: [Int32], count: Int, chunk: Int) throws -> [Int32] {
    let workspace = Workspace()
    let cache = try makeCache(capacity: prompt.count + count, chunk: chunk)
    var result: [Int32] = []
    var logits: [Float] = []
    for start in stride(from: 0, to: prompt.count, by: chunk) {
      let part = Array(prompt[start..<min(start + chunk, prompt.count)])
      logits = try forward(Batch(part, cache: cache), workspace: workspace).floats()
    }
    while true {
      result.append(logits.indexOfMaximum())
      if result.count == count { return result }
      logits = try forward(Batch([result[result.count - 1]], cache: cache), workspace: workspace)
        .floats()
    }
  }
}

extension [Float] {
  /// The first index of the greatest element.
  func indexOfMaximum() -> Int32 {
    var best = 0
    for index in indices where self[index] > self[best] { best = index }
    return Int32(best)
  }

  /// The greatest |a − b|; infinite when the counts differ or a number is not one.
  func distance(to other: some Collection<Float>) -> Float {
    guard count == other.count, allSatisfy(\.isFinite) else { return .infinity }
    return zip(self, other).reduce(0) { Swift.max($0, abs($1.0 - $1.1)) }
  }
}
