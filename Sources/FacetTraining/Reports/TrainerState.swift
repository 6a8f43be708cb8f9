// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// `trainer_state.json`, as transformers' Trainer writes it, for the tools that read it.
struct TrainerState: Encodable {
  var best_metric: Double?
  var best_model_checkpoint: String?
  var epoch: Double
  var eval_steps: Int?
  var global_step: Int
  var is_local_process_zero = true
  var is_world_process_zero = true
  var log_history: [Entry]
  var logging_steps: Int
  var max_steps: Int
  var num_train_epochs: Int
  var save_steps: Int?
  var train_batch_size: Int

  /// An entry of the history under the names of its kind.
  struct Entry: Encodable {
    var entry: HistoryEntry

    func encode(to encoder: any Encoder) throws {
      switch entry {
      case .step(let metrics): try metrics.encode(to: encoder)
      case .evaluation(let metrics): try metrics.encode(to: encoder)
      }
    }
  }
}
