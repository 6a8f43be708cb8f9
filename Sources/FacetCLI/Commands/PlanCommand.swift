// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Say what a model takes of the memory, before it is loaded.",
    discussion: """
      Exits with 1 when it does not fit into the memory that is available, of the machine or of the \
      control group. JSON keys: context, weights, cache, scratch, total, available, limit, fits, \
      longest_context; sizes are bytes.
      """)

  @Argument(help: "A name, a file or a directory.", completion: ModelCompletion.names)
  var model: String

  @Option(
    parsing: .unconditional,
    help: "Tokens of context (default: the model's, at most \(Session.defaultContext)).")
  var context: Int?

  @OptionGroup var engine: EngineOptions

  @Flag(help: "Print JSON.")
  var json = false

  /// The plan, as JSON.
  private struct Page: Encodable {
    var context: Int
    var weights: Int
    var cache: Int
    var scratch: Int
    var total: Int
    var available: Int?
    var limit: Int?
    var fits: Bool?
    var longest_context: Int
  }

  func run() throws {
    let options = try engine.load()
    let checkpoint = try Checkpoint.open(ModelStore().locate(model))
    let longest = try ModelConfiguration(checkpoint.architecture).contextLength
    let plan = try MemoryPlan(
      checkpoint, context: context ?? min(longest, Session.defaultContext), options: options)
    let fitting = try MemoryPlan.longestContext(checkpoint, options: options)
    let text = json ? try JSONText.line(page(plan, fitting)) + "\n" : table(plan, fitting, longest)
    try OutputFile.standard.write(text)
    if plan.fits == false { throw ExitCode(1) }
  }

  private func page(_ plan: MemoryPlan, _ fitting: Int) -> Page {
    Page(
      context: plan.context, weights: plan.weights, cache: plan.cache, scratch: plan.scratch,
      total: plan.total, available: plan.memory?.available, limit: plan.memory?.limit,
      fits: plan.fits, longest_context: fitting)
  }

  private func table(_ plan: MemoryPlan, _ fitting: Int, _ longest: Int) -> String {
    var table = TextTable()
    table.rightAligned = [1]
    table.add(["weights", "\(ByteText(plan.weights))", "mapped from the file"])
    table.add(["cache", "\(ByteText(plan.cache))", "keys and values of \(plan.context) tokens"])
    table.add(["scratch", "\(ByteText(plan.scratch))", "activations"])
    table.add(["together", "\(ByteText(plan.total))"])
    guard let memory = plan.memory else { return table.text }
    table.add(["available", "\(ByteText(memory.available))", "of \(ByteText(memory.limit))"])
    let verdict = plan.total <= memory.available ? "It fits." : "It does not fit."
    let most =
      fitting == 0
      ? "No context fits."
      : "The longest context that fits is \(fitting) tokens"
        + (fitting == longest ? ", all that the model takes." : ".")
    return table.text + "\(verdict) \(most)\n"
  }
}
