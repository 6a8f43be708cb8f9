// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetTensor

/// How sure the mean of paired differences is, by drawing documents again and again (Efron 1979).
public struct PairedBootstrap: Sendable, Hashable {
  /// The mean difference.
  public let mean: Double
  /// From the 2.5th to the 97.5th percentile of the means of draws.
  public let interval: ClosedRange<Double>

  /// Draws as many of `differences` as there are, with replacement, `draws` times.
  ///
  /// The seed repeats the draws on every machine. No differences are a difference of zero.
  public init(_ differences: [Double], draws: Int = 10_000, seed: UInt64 = 0) {
    guard !differences.isEmpty, draws > 0 else {
      mean = 0
      interval = 0...0
      return
    }
    let count = differences.count
    mean = differences.reduce(0, +) / Double(count)
    guard differences.contains(where: { $0 != differences[0] }) else {
      interval = mean...mean
      return
    }
    var random = RandomGenerator(seed: seed)
    let range = UInt64(count)
    var means: [Double] = []
    means.reserveCapacity(draws)
    for _ in 0..<draws {
      var sum = 0.0
      for _ in 0..<count {
        // The high word of the product is uniform to within count / 2⁶⁴.
        sum += differences[Int(random.next().multipliedFullWidth(by: range).high)]
      }
      means.append(sum / Double(count))
    }
    means.sort()
    interval = Self.quantile(0.025, means)...Self.quantile(0.975, means)
  }

  /// Between the two nearest values, as numpy does it by default.
  private static func quantile(_ share: Double, _ sorted: [Double]) -> Double {
    let place = share * Double(sorted.count - 1)
    let low = Int(place)
    let high = min(low + 1, sorted.count - 1)
    return sorted[low] + (sorted[high] - sorted[low]) * (place - Double(low))
  }
}
