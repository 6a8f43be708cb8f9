// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The learning rate of every step, as the schedules of transformers have it.
public struct LearningRateSchedule: Sendable, Hashable, Codable {
  /// What follows the warm-up.
  public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
    /// The highest rate to the end.
    case constant
    /// A straight line to zero.
    case linear
    /// Half a cosine to zero.
    case cosine
  }

  /// What follows the warm-up.
  public var kind: Kind
  /// Steps of the straight line from zero to the highest rate.
  public var warmupSteps: Int
  /// All steps, those of the warm-up included.
  public var totalSteps: Int
  /// The highest rate.
  public var peak: Float

  /// A schedule of `totalSteps` steps.
  public init(kind: Kind, warmupSteps: Int = 0, totalSteps: Int, peak: Float) {
    self.kind = kind
    self.warmupSteps = warmupSteps
    self.totalSteps = totalSteps
    self.peak = peak
  }

  /// The rate after `step` steps: the first step of a run has that of 0.
  public func rate(step: Int) -> Float {
    let (done, warmup, all) = (Double(step), Double(warmupSteps), Double(totalSteps))
    if done < warmup { return Float(Double(peak) * max(0, done) / max(1, warmup)) }
    let span = max(1, all - warmup)
    switch kind {
    case .constant: return peak
    case .linear: return Float(Double(peak) * max(0, (all - done) / span))
    case .cosine: return Float(Double(peak) * max(0, 0.5 * (1 + cos(.pi * (done - warmup) / span))))
    }
  }
}
