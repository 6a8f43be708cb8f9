// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// How far a run is: what a checkpoint holds beside the numbers themselves.
struct RunProgress: Codable, Hashable {
  /// Steps done.
  var step = 0
  /// Where the data stand.
  var sampler: BatchSampler.State
  /// Tokens seen.
  var tokenCount = 0
  /// The lowest evaluation loss, and the step that had it.
  var bestLoss: Double?
  var bestStep: Int?
  /// Steps of the optimiser.
  var optimizerSteps = 0
  /// Of the settings that must not change.
  var configuration: String
  /// Sums since the last logged step.
  var window = Window()

  /// What the next entry of the log is about.
  struct Window: Codable, Hashable {
    var logProbability = 0.0
    var topCount = 0
    var entropy = 0.0
    var targetCount = 0
    var tokenCount = 0
  }
}
