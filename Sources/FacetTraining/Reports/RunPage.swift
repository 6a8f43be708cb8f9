// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// A run as a page: figures, curves, settings, and all in tables.
///
/// The page stands alone and asks nothing of any server.
package struct RunPage: Sendable {
  private let history: [HistoryEntry]
  private let settings: [(String, String)]

  /// More rows than these are more than anybody reads.
  private static let greatestRowCount = 200

  package init(history: [HistoryEntry], settings: [(String, String)]) {
    self.history = history
    self.settings = settings
  }

  private var steps: [StepMetrics] {
    history.compactMap { if case .step(let metrics) = $0 { metrics } else { nil } }
  }

  private var evaluations: [EvaluationMetrics] {
    history.compactMap { if case .evaluation(let metrics) = $0 { metrics } else { nil } }
  }

  /// The page.
  package var text: String {
    let charts = charts.compactMap(\.text).joined()
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>Training report</title>
      <style>
      \(Self.styles)
      </style>
      </head>
      <body>
      <main>
      <h1>Training report</h1>
      \(summary)<section class="charts" aria-label="Curves">
      \(charts.isEmpty ? "<p>There are no figures yet.</p>\n" : charts)</section>
      \(settingsTable)\(figures)</main>
      </body>
      </html>

      """
  }

  /// The curve of the loss as a file of its own, nil while there is none.
  package var lossCurve: String? {
    charts.first { $0.name == "loss" }?.file(styles: Self.curveStyles)
  }

  private var charts: [LineChart] {
    func trained(_ name: String, _ value: (StepMetrics) -> Double) -> LineChart.Series {
      .init(name: name, style: "train", points: steps.map { ($0.step, value($0)) })
    }
    func evaluated(_ name: String, _ value: (EvaluationMetrics) -> Double) -> LineChart.Series {
      .init(name: name, style: "eval", points: evaluations.map { ($0.step, value($0)) })
    }
    return [
      LineChart(
        name: "loss", title: "Loss",
        series: [trained("training", \.loss), evaluated("validation", \.loss)]),
      LineChart(
        name: "accuracy", title: "Token accuracy",
        series: [trained("training", \.tokenAccuracy), evaluated("validation", \.tokenAccuracy)]),
      LineChart(
        name: "rate", title: "Learning rate", series: [trained("learning rate", \.learningRate)]),
      LineChart(
        name: "gradient", title: "Gradient norm",
        series: [trained("gradient norm", \.gradientNorm)]),
    ]
  }

  /// The figures that one looks for first.
  private var summary: String {
    var items: [(String, String)] = []
    if let last = steps.last {
      items += [
        ("Steps", "\(last.step)"), ("Epochs", LineChart.figure(last.epoch)),
        ("Last loss", LineChart.figure(last.loss)), ("Tokens", Self.grouped(last.tokenCount)),
        ("Tokens per second", LineChart.figure(last.tokensPerSecond)),
      ]
      if let count = steps.compactMap(\.peakMemoryByteCount).max() {
        items.append(("Peak memory", String(format: "%.2f GB", Double(count) / 1e9)))
      }
    }
    let finite = evaluations.filter(\.loss.isFinite)
    if let best = finite.min(by: { $0.loss < $1.loss }) {
      items += [
        ("Best validation loss", "\(LineChart.figure(best.loss)) at step \(best.step)"),
        ("Its perplexity", LineChart.figure(best.perplexity)),
      ]
    }
    guard !items.isEmpty else { return "" }
    let rows = items.map { "<div><dt>\($0.0)</dt><dd>\($0.1)</dd></div>\n" }
    return "<dl>\n\(rows.joined())</dl>\n"
  }

  private var settingsTable: String {
    guard !settings.isEmpty else { return "" }
    let rows = settings.map { name, value in
      "<tr><th scope=\"row\">\(LineChart.escaped(name))</th><td>\(LineChart.escaped(value))</td></tr>\n"
    }
    return """
      <section>
      <h2 id="settings">Settings</h2>
      <table class="settings" aria-labelledby="settings">
      \(rows.joined())</table>
      </section>

      """
  }

  /// The curves' figures in tables, for those who cannot see curves or want the digits.
  private var figures: String {
    let trained = steps.map { metrics in
      ["\(metrics.step)"]
        + [
          metrics.epoch, metrics.loss, metrics.tokenAccuracy, metrics.learningRate,
          metrics.gradientNorm, metrics.tokensPerSecond,
        ].map(LineChart.figure)
    }
    let evaluated = evaluations.map { metrics in
      ["\(metrics.step)"]
        + [metrics.epoch, metrics.loss, metrics.perplexity, metrics.tokenAccuracy, metrics.seconds]
        .map(LineChart.figure)
    }
    let tables =
      Self.table(
        "Training",
        ["Step", "Epoch", "Loss", "Accuracy", "Learning rate", "Gradient norm", "Tokens/s"], trained
      )
      + Self.table(
        "Validation", ["Step", "Epoch", "Loss", "Perplexity", "Accuracy", "Seconds"], evaluated)
    guard !tables.isEmpty else { return "" }
    return "<details>\n<summary>All figures</summary>\n\(tables)</details>\n"
  }

  private static func table(_ title: String, _ names: [String], _ rows: [[String]]) -> String {
    guard !rows.isEmpty else { return "" }
    // The last row counts most, so rows are left out before it.
    let stretch = (rows.count - 1) / greatestRowCount + 1
    let shown = rows.indices.filter { (rows.count - 1 - $0) % stretch == 0 }
    let caption =
      stretch == 1 ? title : "\(title): one row in \(stretch); metrics.jsonl has them all"
    let head = names.map { "<th scope=\"col\">\($0)</th>" }.joined()
    let body = shown.map { index in
      "<tr>\(rows[index].map { "<td>\($0)</td>" }.joined())</tr>\n"
    }
    return """
      <div class="wide"><table>
      <caption>\(caption)</caption>
      <thead><tr>\(head)</tr></thead>
      <tbody>
      \(body.joined())</tbody>
      </table></div>

      """
  }

  /// A count with its thousands apart.
  private static func grouped(_ count: Int) -> String {
    let digits = Array(String(count))
    return digits.indices.reduce(into: "") { text, index in
      if index > 0, (digits.count - index) % 3 == 0, digits[index - 1] != "-" { text += "\u{202F}" }
      text.append(digits[index])
    }
  }
}
