// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import FacetJSON
import FacetTestSupport
import Foundation
import Testing

@Suite("Statistics of comparisons")
struct StatisticsTests {
  private func golden(_ name: String) throws -> [JSON] {
    try ResultGolden.read(Goldens.path("evaluation/comparison/\(name)")).array ?? []
  }

  @Test("McNemar's test gives statsmodels' statistic and probability, exact and by chi-squared")
  func mcNemar() throws {
    let rows = try golden("mcnemar.json").compactMap(\.array)
    #expect(rows.count == 91)
    for row in rows {
      let (lost, won) = (row[0].integer ?? -1, row[1].integer ?? -1)
      let test = McNemarTest(lost: lost, won: won)
      #expect(test.method.rawValue == row[2].string)
      let (statistic, probability) = (row[3].number ?? .nan, row[4].number ?? .nan)
      #expect(abs(test.statistic - statistic) <= 1e-12 * max(1, statistic), "\(lost) \(won)")
      #expect(abs(test.probability - probability) <= 1e-12 + 1e-9 * probability, "\(lost) \(won)")
    }
  }

  @Test("the paired bootstrap's interval is scipy's, but for the noise of its draws")
  func bootstrap() throws {
    let rows = try golden("bootstrap.json")
    #expect(rows.count == 4)
    for row in rows {
      let differences = (row["differences"]?.array ?? []).compactMap(\.number)
      let bootstrap = PairedBootstrap(differences, draws: 20_000, seed: 3)
      // Ends of intervals from 20,000 draws lie within 0.05 standard errors of the limit.
      let noise = 0.05 * (row["error"]?.number ?? 0)
      #expect(abs(bootstrap.mean - (row["mean"]?.number ?? .nan)) < 1e-12)
      #expect(abs(bootstrap.interval.lowerBound - (row["low"]?.number ?? .nan)) < noise)
      #expect(abs(bootstrap.interval.upperBound - (row["high"]?.number ?? .nan)) < noise)
    }
  }

  @Test("a seed repeats the draws, another draws anew, and nothing to draw from is no trouble")
  func seeds() {
    let values = (0..<50).map { (index: Int) -> Double in Double(index * index % 47) / 7 - 2.5 }
    #expect(PairedBootstrap(values, seed: 1) == PairedBootstrap(values, seed: 1))
    #expect(PairedBootstrap(values, seed: 1) != PairedBootstrap(values, seed: 2))
    #expect(PairedBootstrap([]).interval == 0...0)
    #expect(PairedBootstrap([0.25, 0.25, 0.25]).interval == 0.25...0.25)
    #expect(PairedBootstrap([-1]).mean == -1)
  }
}
