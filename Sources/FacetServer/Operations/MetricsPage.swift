// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// Writes Prometheus's text format, version 0.0.4.
package struct MetricsPage {
  package private(set) var text = ""

  package init() {}

  /// A figure with its labels.
  package typealias Sample = (labels: [(String, String)], value: Double)

  /// A family of counters or gauges; one without samples is not written.
  package mutating func add(_ name: String, _ type: String, _ help: String, _ samples: [Sample]) {
    guard !samples.isEmpty else { return }
    begin(name, type, help)
    for sample in samples {
      text += name + Self.labels(sample.labels) + " \(Self.number(sample.value))\n"
    }
  }

  /// A family of histograms.
  package mutating func add(
    _ name: String, _ help: String, _ histograms: [(labels: [(String, String)], Histogram)]
  ) {
    guard !histograms.isEmpty else { return }
    begin(name, "histogram", help)
    for (labels, histogram) in histograms {
      var sum = 0
      for (index, count) in histogram.counts.enumerated() {
        sum += count
        let bound = index < histogram.bounds.count ? Self.number(histogram.bounds[index]) : "+Inf"
        text += "\(name)_bucket" + Self.labels(labels + [("le", bound)]) + " \(sum)\n"
      }
      text += "\(name)_sum" + Self.labels(labels) + " \(Self.number(histogram.sum))\n"
      text += "\(name)_count" + Self.labels(labels) + " \(sum)\n"
    }
  }

  private mutating func begin(_ name: String, _ type: String, _ help: String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
  }

  private static func labels(_ labels: [(String, String)]) -> String {
    guard !labels.isEmpty else { return "" }
    return "{" + labels.map { "\($0.0)=\"\(escaped($0.1))\"" }.joined(separator: ",") + "}"
  }

  private static func escaped(_ value: String) -> String {
    value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
  }
}
