// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import Foundation

/// An evaluation as a page: scores beside published ones, charts, and the documents behind them.
///
/// The page stands alone, asks nothing of any server, and says so to the browser.
public struct ReportPage: Sendable {
  let result: EvaluationResult
  private let date: Date

  /// The page of `result`.
  public init(_ result: EvaluationResult, date: Date = Date()) {
    self.result = result
    self.date = date
  }

  /// Writes the page to `path`.
  public func write(to path: String) throws(EvaluationError) {
    try ResultWriter.write([text], to: path)
  }

  /// The page.
  public var text: String {
    let title = "Evaluation of \(HTMLText.escaped(result.model.name))"
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta http-equiv="Content-Security-Policy" \
      content="default-src 'none'; style-src \(Self.source(Self.styles)); script-src \(Self.source(Self.script))">
      <title>\(title)</title>
      <style>\(Self.styles)</style>
      </head>
      <body>
      <main>
      <h1>\(title)</h1>
      \(summary)\(scores)\(parts)\(figures)\(sources)\(browser)</main>
      </body>
      </html>

      """
  }

  /// The one text that the browser may take for a script or a style, by its hash.
  private static func source(_ text: String) -> String {
    let digits = Array(ResultNames.hash(text))
    let bytes = stride(from: 0, to: digits.count, by: 2).map {
      UInt8(String(digits[$0...$0 + 1]), radix: 16) ?? 0
    }
    return "'sha256-\(Data(bytes).base64EncodedString())'"
  }

  /// What one wants to know before the figures.
  private var summary: String {
    let settings = result.settings
    var items: [(String, String)] = []
    if let count = result.model.parameterCount {
      items.append(("Parameters", HTMLText.grouped(count)))
    }
    if let type = result.model.dataType { items.append(("Weights", type)) }
    if let suite = settings.suite { items.append(("Suite", suite)) }
    items += [
      ("Tasks", HTMLText.grouped(result.tasks.count)),
      ("Documents", HTMLText.grouped(result.tasks.reduce(0) { $0 + $1.documents.count })),
    ]
    if let limit = settings.limit {
      let most = limit < 1 ? "\(HTMLText.percent(limit)) %" : HTMLText.grouped(Int(clamping: limit))
      items.append(("At most, of a task", most))
    }
    if result.seconds > 0 { items.append(("Time", Self.duration(result.seconds))) }
    items.append(("Day", String(ResultNames.stamp(date).prefix(10))))
    if let software = settings.software { items.append(("Software", software)) }
    let rows = items.map {
      "<div><dt>\(HTMLText.escaped($0.0))</dt><dd>\(HTMLText.escaped($0.1))</dd></div>\n"
    }
    return "<dl>\n\(rows.joined())</dl>\n"
  }

  private static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "?" }
    let whole = Int(seconds.rounded())
    if whole < 60 { return String(format: "%.1f s", seconds) }
    return whole < 3600
      ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole % 3600 / 60) min"
  }
}

extension Int {
  /// The whole number next to `value`, within the range.
  fileprivate init(clamping value: Double) {
    self = Int(exactly: value.rounded()) ?? (value > 0 ? .max : 0)
  }
}
