// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What passes of one to four tokens cost, in passes of one.
struct PassCosts {
  /// Measured on two Zen 5 cores: Gemma 3 270M Q4_K_M 1.26, 1.67, 2.05; Gemma 2B Q4_0 1.24, 1.68, 2.5.
  static let usual = [1, 1.3, 1.7, 2.2]

  /// Smoothed seconds by count of tokens; nil before the first.
  private var seconds: [Double?] = [nil, nil, nil, nil]

  /// The cost of a pass of `tokens` tokens.
  func cost(_ tokens: Int) -> Double {
    guard let one = secondsOfOne else { return Self.usual[tokens - 1] }
    return (seconds[tokens - 1] ?? one * Self.usual[tokens - 1]) / one
  }

  /// Notes that a pass of `tokens` tokens took `time`.
  mutating func note(_ tokens: Int, _ time: Duration) {
    guard seconds.indices.contains(tokens - 1), time > .zero else { return }
    let new = time / .seconds(1)
    let one = secondsOfOne ?? new / Self.usual[tokens - 1]
    let old = seconds[tokens - 1] ?? one * Self.usual[tokens - 1]
    // A pass that was held up says little about the next one, and what was not seen for long is
    // slowly forgotten, so that a bad figure is tried again.
    seconds[tokens - 1] = old + 0.15 * (min(new, 1.5 * old) - old)
    for other in seconds.indices where other != tokens - 1 {
      if let before = seconds[other] {
        seconds[other] = before + 0.01 * (one * Self.usual[other] - before)
      }
    }
  }

  private var secondsOfOne: Double? {
    if let one = seconds[0] { return one }
    guard let index = seconds.firstIndex(where: { $0 != nil }), let known = seconds[index] else {
      return nil
    }
    return known / Self.usual[index]
  }

  /// How many of the tokens with these chances to come true are worth guessing: where tokens per cost
  /// is greatest; none where it gains little.
  ///
  /// `each` is what one guess costs by itself.
  func best(_ chances: some Sequence<Double>, each: Double = 0) -> Int {
    var best = (count: 0, gain: Self.leastGain)
    var (expected, chance) = (1.0, 1.0)
    for (index, next) in chances.enumerated() {
      chance *= next
      expected += chance
      let gain = expected / (cost(index + 2) / cost(1) + each * Double(index + 1))
      if gain > best.gain { best = (index + 1, gain) }
    }
    return best.count
  }

  /// Chances are estimates: a hope of less than this is left alone.
  private static let leastGain = 1.05
}
