// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
import Foundation

/// What a checkpoint tells of its run, in the form of Hugging Face's `trainer_state.json`.
public struct TrainerState: Sendable, Hashable {
  /// The best figure of the validation data so far.
  public var bestMetric: Double?
  /// The checkpoint that had it.
  public var bestModelCheckpoint: String?
  /// Passes over the data so far, with fractions.
  public var epoch = 0.0
  /// Optimiser steps so far.
  public var globalStep = 0
  /// Optimiser steps of the whole run.
  public var maximumSteps = 0
  /// Passes over the data of the whole run, begun ones included.
  public var epochCount = 0
  /// Steps between entries of the history.
  public var loggingSteps = 500
  /// Steps between evaluations; nil when there are none.
  public var evaluationSteps: Int?
  /// Steps between checkpoints.
  public var saveSteps = 500
  /// Sequences in a batch.
  public var batchSize: Int?
  /// The run's history so far.
  public var history: [HistoryEntry] = []

  /// The state of a run that has not begun.
  public init() {}

  /// The JSON text, keys in the order of Hugging Face's file.
  public var text: String {
    func integer(_ value: Int?) -> JSON { value.map { .integer($0) } ?? .null }
    let members: [(String, String)] = [
      ("best_metric", (bestMetric.map { .number($0) } ?? JSON.null).text),
      ("best_model_checkpoint", (bestModelCheckpoint.map { .string($0) } ?? JSON.null).text),
      ("epoch", JSON.number(epoch).text),
      ("eval_steps", integer(evaluationSteps).text),
      ("global_step", "\(globalStep)"),
      ("is_local_process_zero", "true"),
      ("is_world_process_zero", "true"),
      ("log_history", historyText),
      ("logging_steps", "\(loggingSteps)"),
      ("max_steps", "\(maximumSteps)"),
      ("num_train_epochs", "\(epochCount)"),
      ("save_steps", "\(saveSteps)"),
      ("train_batch_size", integer(batchSize).text),
    ]
    let lines = members.map { "  \"\($0.0)\": \($0.1)" }
    return "{\n\(lines.joined(separator: ",\n"))\n}\n"
  }

  private var historyText: String {
    guard !history.isEmpty else { return "[]" }
    return "[\n    \(history.map(\.jsonText).joined(separator: ",\n    "))\n  ]"
  }

  /// Writes the state to `path`, all of it or nothing.
  public func write(to path: String) throws(TrainingError) {
    try AppendedFile.replace(path, with: text)
  }

  /// Reads the state at `path`, ours or Hugging Face's.
  ///
  /// Entries of the history that are neither of training nor of validation are left out.
  public init(reading path: String) throws(TrainingError) {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw TrainingError(.unreadable, "There is no file '\(path)' that could be read.")
    }
    let json: JSON
    do throws(JSONError) { json = try JSONReader.read([UInt8](data), path: path) } catch {
      throw TrainingError(.unreadable, error.message)
    }
    guard let step = json["global_step"]?.integer, step >= 0 else {
      throw TrainingError(
        .unreadable, "'\(path)' is no trainer state: it has no 'global_step' of 0 or more.")
    }
    bestMetric = json["best_metric"]?.number
    bestModelCheckpoint = json["best_model_checkpoint"]?.string
    epoch = json["epoch"]?.number ?? 0
    globalStep = step
    maximumSteps = json["max_steps"]?.integer ?? 0
    epochCount = json["num_train_epochs"]?.integer ?? 0
    loggingSteps = json["logging_steps"]?.integer ?? 500
    evaluationSteps = json["eval_steps"]?.integer
    saveSteps = json["save_steps"]?.integer ?? 500
    batchSize = json["train_batch_size"]?.integer
    history = json["log_history"]?.array?.compactMap { HistoryEntry($0) } ?? []
  }
}
