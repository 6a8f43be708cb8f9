// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetTraining
import Foundation

/// What a run of training looks like while it lasts: one line that is redrawn on a terminal, lines
/// elsewhere, or JSON.
struct TuneDisplay {
  private let asJSON: Bool
  private let isTerminal = OutputFile.error.isTerminal && !Terminal.isDumb
  private var plan: TrainingPlan?
  private var losses: [Double] = []
  private var begin = ContinuousClock.now

  init(asJSON: Bool) { self.asJSON = asJSON }

  /// Shows one event.
  mutating func show(_ event: TrainingEvent) throws {
    if asJSON { return try line(event) }
    switch event {
    case .started(let plan):
      self.plan = plan
      begin = .now
      OutputFile.error.tell(Self.summary(plan))
    case .step(let metrics): step(metrics)
    case .evaluated(let metrics):
      clear()
      OutputFile.error.tell(
        String(
          format: "step %d: evaluation loss %.4f, perplexity %.2f, accuracy %.1f %%", metrics.step,
          metrics.loss, metrics.perplexity, 100 * metrics.tokenAccuracy))
    case .saved(let path):
      clear()
      OutputFile.error.tell("saved \(path)")
    case .finished(let result):
      clear()
      let loss = result.loss.map { String(format: ", loss %.4f", $0) } ?? ""
      try OutputFile.standard.write("\(result.path): \(result.steps) steps\(loss)\n")
    }
  }

  private mutating func step(_ metrics: StepMetrics) {
    losses.append(metrics.loss)
    let steps = plan?.steps ?? metrics.step
    let done = metrics.step - (plan?.firstStep ?? 0)
    let left = ProgressLine.left(since: begin, done, of: done + steps - metrics.step)
    let memory = metrics.peakMemoryByteCount.map { "  \(ByteText($0))" } ?? ""
    let text = String(
      format: "step %d/%d  loss %.4f  %.0f tokens/s", metrics.step, steps, metrics.loss,
      metrics.tokensPerSecond)
    if isTerminal {
      let columns = Terminal.size(of: OutputFile.error.descriptor).columns
      let line = "\(text)  \(Sparkline.text(losses, width: 24))\(memory)  \(left)"
      try? OutputFile.error.write("\r\(line.prefix(max(8, columns - 1)))\u{1b}[K")
    } else {
      OutputFile.error.tell("\(text)\(memory)  \(left)")
    }
  }

  private func clear() {
    if isTerminal { try? OutputFile.error.write("\r\u{1b}[K") }
  }

  /// Says that the memory may not be enough.
  func warn(_ plan: TrainingPlan, _ memory: MachineMemory) {
    OutputFile.error.tell(
      "The run may take \(ByteText(plan.memory.total)) of memory; \(ByteText(memory.available)) are "
        + "available. Smaller batches, a smaller max_length or the method qlora take less.")
  }

  private static func summary(_ plan: TrainingPlan) -> String {
    let share = 100 * Double(plan.targetTokens) / Double(max(1, plan.tokens))
    let dropped = plan.data.dropped.total
    let validation =
      plan.validationExamples > 0 ? ", \(plan.validationExamples) for validation" : ""
    let again = plan.firstStep > 0 ? ", going on after step \(plan.firstStep)" : ""
    return String(
      format: "%d rows%@%@, %d tokens (%.0f %% trained); %d steps%@; %d of %d numbers change",
      plan.examples, validation, dropped > 0 ? " (\(dropped) left out)" : "", plan.tokens, share,
      plan.steps, again, plan.trainedCount, plan.weightCount)
  }

  /// Shows what a run would do.
  func show(_ plan: TrainingPlan, tokensPerSecond: Double, memory: MachineMemory?) throws {
    let epochs = Double(plan.steps) / Double(max(1, plan.batchesPerEpoch))
    let seconds = epochs * Double(plan.tokens) / tokensPerSecond
    if asJSON {
      struct Page: Encodable {
        var plan: TrainingPlan
        var tokens_per_second: Double
        var seconds: Double
        var available_memory: Int?
      }
      let page = Page(
        plan: plan, tokens_per_second: tokensPerSecond, seconds: seconds,
        available_memory: memory?.available)
      return try OutputFile.standard.write(JSONText.page(page) + "\n")
    }
    var table = TextTable()
    table.rightAligned = [1]
    table.add(["rows", "\(plan.examples)", "\(plan.data.dropped.total) left out"])
    table.add(["validation", "\(plan.validationExamples)", "rows"])
    let share = 100 * Double(plan.targetTokens) / Double(max(1, plan.tokens))
    table.add(["tokens", "\(plan.tokens)", String(format: "%.0f %% of them trained", share)])
    table.add(["steps", "\(plan.steps)", String(format: "%.1f epochs", epochs)])
    table.add(["numbers", "\(plan.trainedCount)", "trained, of \(plan.weightCount)"])
    table.add(["weights", "\(ByteText(plan.memory.weights))"])
    table.add(["gradients", "\(ByteText(plan.memory.gradients))"])
    table.add(["optimiser", "\(ByteText(plan.memory.optimizer))"])
    table.add(["activations", "\(ByteText(plan.memory.activations))"])
    let room = memory.map { "of \(ByteText($0.available)) available" } ?? ""
    table.add(["together", "\(ByteText(plan.memory.total))", room])
    table.add([
      "time", Duration.seconds(seconds).formatted(),
      String(format: "at %.0f tokens/s", tokensPerSecond),
    ])
    try OutputFile.standard.write(table.text)
  }

  /// An event as a line of JSON.
  private func line(_ event: TrainingEvent) throws {
    let text: String
    switch event {
    case .started(let plan): text = try JSONText.line(["plan": plan])
    case .step(let metrics): text = try JSONText.line(metrics)
    case .evaluated(let metrics): text = try JSONText.line(metrics)
    case .saved(let path): text = try JSONText.line(["checkpoint": path])
    case .finished(let result): text = try JSONText.line(["result": result])
    }
    try OutputFile.standard.write(text + "\n")
  }
}
