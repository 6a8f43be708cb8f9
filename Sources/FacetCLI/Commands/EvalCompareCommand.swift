// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import FacetEvaluation
import Foundation

struct EvalCompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare two results of the same tasks, document by document.",
    discussion: """
      A and B are files results_….json of facet eval or of lm-eval (with --log_samples), or the \
      folders that they are in. Differences are B less A, with 95 % intervals of a paired \
      bootstrap. Lost are documents that A had right and B has wrong; won the reverse. P is \
      McNemar's: how likely so uneven a number of lost and won is between models that are alike. \
      JSON keys: a, b (each with model, path), lines (name, is_group, metric, filter, documents, a, \
      b, difference, low, high, lost, won, p, test), flips (task, document, won, question), only_a, \
      only_b, draws, seed.
      """)

  @Argument(help: "The results that are the reference.", completion: .file())
  var a: String

  @Argument(help: "The results that are compared with them.", completion: .file())
  var b: String

  @Option(parsing: .unconditional, help: "Draws of the bootstrap.")
  var draws = 10_000

  @Option(parsing: .unconditional, help: "The seed of the draws.")
  var seed: UInt64 = 0

  @Option(
    parsing: .unconditional,
    help: "Show at most this many documents a task that were lost, and that were won.")
  var flips = 5

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    guard (1...1_000_000).contains(draws) else {
      throw ValidationError("--draws must be between 1 and 1000000.")
    }
    guard flips >= 0 else { throw ValidationError("--flips must be 0 or more.") }
  }

  func run() throws {
    let (first, second) = (try ResultReader(a), try ResultReader(b))
    let (firstResult, secondResult) = (try first.read(), try second.read())
    var options = ResultComparison.Options()
    options.draws = draws
    options.seed = seed
    let comparison = try ResultComparison(firstResult, secondResult, options: options)
    let sides = [
      EvalCompareText.Side(model: firstResult.model.name, path: first.path),
      EvalCompareText.Side(model: secondResult.model.name, path: second.path),
    ]
    let text = EvalCompareText(comparison: comparison, a: sides[0], b: sides[1])
    try OutputFile.standard.write(
      json ? text.json(draws: draws, seed: seed) + "\n" : text.table(flips: flips))
  }
}
