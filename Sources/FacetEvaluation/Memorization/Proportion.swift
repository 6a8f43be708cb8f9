// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A count out of a number of tries.
public struct Proportion: Sendable, Hashable {
  /// How often it happened.
  public let count: Int
  /// How often it was tried.
  public let total: Int

  /// `count` of `total`.
  public init(_ count: Int, of total: Int) {
    self.count = count
    self.total = total
  }

  /// The part of the tries.
  public var value: Double { total > 0 ? Double(count) / Double(total) : .nan }

  /// Where the true part lies with 95 % confidence (Wilson 1927), which holds for rare things too.
  public var interval: ClosedRange<Double> {
    guard total > 0 else { return 0...1 }
    let (n, z) = (Double(total), 1.959963984540054)
    let middle = value + z * z / (2 * n)
    let spread = z * (value * (1 - value) / n + z * z / (4 * n * n)).squareRoot()
    let scale = 1 + z * z / n
    // At the ends the exact bounds are 0 and 1, but for rounding.
    let low = count == 0 ? 0 : max(0, (middle - spread) / scale)
    let high = count == total ? 1 : min(1, (middle + spread) / scale)
    return low...high
  }
}
