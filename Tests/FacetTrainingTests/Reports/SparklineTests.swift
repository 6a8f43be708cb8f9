// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTraining
import Testing

@Suite("Sparklines")
struct SparklineTests {
  @Test(
    "Values stand between the least and the greatest of those shown",
    arguments: [
      ([0, 1, 2, 3, 4, 5, 6, 7], 8, "▁▂▃▄▅▆▇█"), ([9, 9, 3, 2, 1], 3, "█▅▁"), ([2, 2], 5, "▄▄"),
      ([1, .nan, 2, .infinity], 9, "▁×█×"), ([.nan], 1, "×"), ([], 4, ""), ([1], 0, ""),
      ([1], -1, ""), ([-1e308, 1e308], 2, "▁█"), ([0, .leastNonzeroMagnitude], 2, "▄▄"),
    ] as [([Double], Int, String)])
  func text(_ values: [Double], _ width: Int, _ expected: String) {
    #expect(Sparkline.text(values, width: width) == expected)
  }
}
