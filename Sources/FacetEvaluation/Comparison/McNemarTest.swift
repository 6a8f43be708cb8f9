// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import Foundation

/// Whether two models that answered the same questions differ by more than chance (McNemar 1947).
///
/// Only the questions count that one had right and the other wrong: were the models alike, either
/// kind would be as likely.
public struct McNemarTest: Sendable, Hashable {
  /// How the probability was computed.
  public enum Method: String, Sendable, Hashable {
    /// The binomial distribution, for fewer than 25 questions that count.
    case exact
    /// χ² with one degree of freedom and Edwards' correction for continuity.
    case chiSquared = "chi-squared"
  }

  /// Questions that the first had right and the second has wrong.
  public let lost: Int
  /// Questions that the first had wrong and the second has right.
  public let won: Int
  /// How the probability was computed.
  public let method: Method
  /// The smaller count (exact), or χ².
  public let statistic: Double
  /// How likely a difference of this size or more is between models that are alike.
  public let probability: Double

  /// Fewer questions than these are counted out exactly.
  public static let exactLimit = 25

  /// The test for these counts.
  public init(lost: Int, won: Int) {
    self.lost = lost
    self.won = won
    let count = lost + won
    if count < Self.exactLimit {
      method = .exact
      statistic = Double(min(lost, won))
      probability = min(1, 2 * Self.cumulative(min(lost, won), of: count))
    } else {
      method = .chiSquared
      let difference = Double(abs(lost - won)) - 1
      statistic = difference * difference / Double(count)
      probability = erfc((statistic / 2).squareRoot())
    }
  }

  /// The chance of at most `most` heads in `count` throws of a fair coin.
  private static func cumulative(_ most: Int, of count: Int) -> Double {
    var (term, sum) = (1.0, 1.0)
    for heads in 0..<max(0, most) {
      term *= Double(count - heads) / Double(heads + 1)
      sum += term
    }
    return sum / pow(2, Double(count))
  }
}
