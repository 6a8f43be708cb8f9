// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import FacetTraining

/// A dataset for people: its first rows, and what was counted.
struct DataReport {
  /// The report as JSON.
  struct Page: Encodable {
    struct Run: Encodable {
      var text: String
      var trained: Bool
      var tokens: Int
    }
    struct Row: Encodable {
      var source: String
      var line: Int
      var runs: [Run]
    }
    var rows: [Row]
    var statistics: DatasetStatistics
  }

  private let examples: [TrainingExample]
  private let statistics: DatasetStatistics
  private let tokenizer: Tokenizer

  /// The first `most` examples of `dataset`, and all of its counts.
  init(_ dataset: Dataset, _ tokenizer: Tokenizer, most: Int) {
    examples = (0..<min(most, dataset.count)).map { dataset[$0] }
    statistics = dataset.statistics
    self.tokenizer = tokenizer
  }

  var page: Page {
    Page(
      rows: examples.map { example in
        Page.Row(
          source: example.source, line: example.line,
          runs: example.runs(tokenizer).map {
            Page.Run(text: $0.text, trained: $0.isTarget, tokens: $0.tokenCount)
          })
      },
      statistics: statistics)
  }

  func text(colored: Bool) -> String {
    var text = ""
    for example in examples {
      let trained = example.isTarget.count { $0 }
      text +=
        "\(example.source):\(example.line)  \(example.tokens.count) tokens, \(trained) trained\n"
      text += colored ? Self.colored(example.runs(tokenizer)) : example.markedText(tokenizer)
      text += "\n\n"
    }
    return text + counts + histogram + problems
  }

  private static func colored(_ runs: [TrainingExample.Run]) -> String {
    runs.map { run in
      // Control characters of the data must not reach the terminal.
      let text = run.text.unicodeScalars.map { scalar in
        scalar.properties.generalCategory == .control && scalar != "\n" && scalar != "\t"
          ? "\u{FFFD}" : String(scalar)
      }.joined()
      return (run.isTarget ? "\u{1B}[1;32m" : "\u{1B}[2m") + text + "\u{1B}[0m"
    }.joined()
  }

  private var counts: String {
    var table = TextTable()
    table.rightAligned = [1]
    table.add(["rows", "\(statistics.rows)"])
    table.add(["examples", "\(statistics.examples)"])
    table.add(["left out: too long", "\(statistics.dropped.overlong)"])
    table.add(["left out: invalid", "\(statistics.dropped.invalid)"])
    table.add(["left out: nothing trained", "\(statistics.dropped.untrained)"])
    table.add(["duplicates", "\(statistics.duplicates)"])
    table.add(["tokens", "\(statistics.tokens)"])
    table.add(["trained tokens", "\(statistics.targetTokens)", share])
    table.add(["longest row", "\(statistics.longest)", "tokens"])
    return table.text
  }

  private var share: String {
    let tenths = statistics.targetTokens * 1000 / max(statistics.tokens, 1)
    return "\(tenths / 10).\(tenths % 10) %"
  }

  private var histogram: String {
    let most = statistics.lengths.map(\.rows).max() ?? 0
    guard most > 0 else { return "" }
    var table = TextTable(["tokens", "rows"])
    table.rightAligned = [0, 1]
    for bin in statistics.lengths {
      // A bar for every bin that has rows, however few.
      let length = (bin.rows * 40 + most - 1) / most
      table.add([
        "\(bin.from)–\(bin.through)", "\(bin.rows)", String(repeating: "█", count: length),
      ])
    }
    return "\n" + table.text
  }

  private var problems: String {
    statistics.problems.isEmpty ? "" : "\n" + statistics.problems.joined(separator: "\n") + "\n"
  }
}
