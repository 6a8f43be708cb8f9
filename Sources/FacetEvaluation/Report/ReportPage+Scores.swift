// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension ReportPage {
  /// A task or a group with figures, as a page shows it.
  struct Entry {
    var name: String
    var alias: String
    var shots: Int?
    var documentCount: Int
    var metrics: [TaskScore.Metric]
  }

  private func entry(_ task: TaskScore) -> Entry {
    Entry(
      name: task.task, alias: task.alias, shots: task.shots,
      documentCount: task.documents.count, metrics: task.metrics)
  }

  private func entry(_ group: GroupResult) -> Entry {
    Entry(
      name: group.name, alias: group.alias, shots: result.shots[group.name] ?? shots(in: group),
      documentCount: group.documentCount, metrics: group.metrics)
  }

  /// The shots that all tasks in the group agree on.
  private func shots(in group: GroupResult) -> Int? {
    let all = Set(tasks(in: group).map(\.shots))
    return all.count == 1 ? all.first : nil
  }

  /// The tasks of a group and of the groups in it.
  func tasks(in group: GroupResult) -> [TaskScore] {
    var seen: Set<String> = []
    func collect(_ name: String) -> [TaskScore] {
      guard seen.insert(name).inserted else { return [] }
      if let task = result.task(name) { return [task] }
      return result.groups.first { $0.name == name }?.members.flatMap(collect) ?? []
    }
    return group.members.flatMap(collect)
  }

  /// What is not part of something else: groups with figures, and tasks of no such group.
  private var heads: [Entry] {
    let figured = result.groups.filter { !$0.metrics.isEmpty }
    let below = Set(figured.flatMap(\.members))
    let inGroups = Set(figured.flatMap { tasks(in: $0).map(\.task) })
    return figured.filter { !below.contains($0.name) }.map(entry)
      + result.tasks.filter { !inGroups.contains($0.task) }.map(entry)
  }

  /// A card with a chart for each task or group.
  var scores: String {
    let cards = heads.compactMap(card)
    guard !cards.isEmpty else { return "" }
    return """
      <section aria-labelledby="scores">
      <h2 id="scores">Scores</h2>
      <p class="key"><span class="own">this model, with 95 % intervals</span>
      <span class="other">published, for comparison</span></p>
      <div class="charts">
      \(cards.joined())</div>
      </section>

      """
  }

  private func card(_ entry: Entry) -> String? {
    let shown = entry.metrics.filter(\.isShare)
    guard !shown.isEmpty else { return nil }
    let isOneMetric = Set(shown.map(\.name)).count == 1 && shown.count > 1
    let own = shown.map { metric in
      BarChart.Bar(
        isOneMetric ? metric.filter : metric.title, metric.value, interval: metric.interval,
        style: "own",
        note: "\(metric.title): \(Self.interval(metric))")
    }
    let others = PublishedFigure.figures(for: entry.name).map { figure in
      BarChart.Bar(
        figure.model, figure.value / 100, style: "other", note: Self.description(figure))
    }
    let chart = BarChart(title: entry.alias, bars: own + others)
    let shots = entry.shots.map { ", \($0) \($0 == 1 ? "shot" : "shots")" } ?? ""
    let caption = "\(HTMLText.grouped(entry.documentCount)) documents\(shots)"
    return """
      <figure>
      <figcaption>\(HTMLText.escaped(entry.alias)) <small>\(caption)</small></figcaption>
      \(chart.text)\(Self.protocols(entry.name))</figure>

      """
  }

  /// How the published figures were measured, where that differs from model to model.
  private static func protocols(_ task: String) -> String {
    let figures = PublishedFigure.figures(for: task)
    guard !figures.isEmpty else { return "" }
    var seen: Set<String> = []
    let kinds = figures.map { figure in
      let shots = figure.shots.map { $0 == 1 ? "1 shot" : "\($0) shots" } ?? "shots not stated"
      return "\(figure.source.place): " + shots + (figure.metric.map { ", \($0)" } ?? "")
    }.filter { seen.insert($0).inserted }
    return "<p class=\"note\">Published: \(HTMLText.escaped(kinds.joined(separator: "; "))).</p>\n"
  }

  private static func description(_ figure: PublishedFigure) -> String {
    let shots = figure.shots.map { ", \($0)-shot" } ?? ""
    return
      "\(figure.model), \(figure.benchmark)\(shots): \(figure.value) — \(figure.source.title), "
      + figure.source.place + (figure.note.map { " (\($0))" } ?? "")
  }

  static func interval(_ metric: TaskScore.Metric) -> String {
    guard let interval = metric.interval else { return metric.shown }
    let show = metric.isShare ? HTMLText.percent : HTMLText.figure
    return "\(metric.shown) [\(show(interval.lowerBound)), \(show(interval.upperBound))]"
  }

  /// The tasks of each group, the best first: MMLU's subjects.
  var parts: String {
    result.groups.compactMap { group -> String? in
      let members = tasks(in: group)
      let isTop = !result.groups.contains { $0.members.contains(group.name) }
      guard isTop, members.count > 1 else { return nil }
      let bars = members.compactMap { task -> (TaskScore, TaskScore.Metric)? in
        task.metrics.first(where: \.isShare).map { (task, $0) }
      }.sorted { $0.1.value > $1.1.value }.map { task, metric in
        BarChart.Bar(
          task.alias, metric.value, interval: metric.interval, style: "own",
          note: "\(task.task), \(metric.title): \(Self.interval(metric)), "
            + "\(task.documents.count) documents")
      }
      guard bars.count > 1 else { return nil }
      return Self.section(
        title: "\(group.alias): its \(bars.count) parts", bars, chance: Self.chance(members))
    }.joined()
  }

  /// Many bars in two halves, which stand beside each other where there is room.
  private static func section(title: String, _ bars: [BarChart.Bar], chance: Double?) -> String {
    let size = bars.count > 12 ? (bars.count + 1) / 2 : bars.count
    let charts = stride(from: 0, to: bars.count, by: size).map { start in
      let half = Array(bars[start..<min(bars.count, start + size)])
      let chart = BarChart(title: title, bars: half, labels: .above, chance: chance)
      return "<figure>\n\(chart.text)</figure>\n"
    }
    let guess = chance.map { " The broken line is guessing: \(HTMLText.percent($0)) %." } ?? ""
    return """
      <section class="parts">
      <h2>\(HTMLText.escaped(title))</h2>
      <p class="note">The best first, with 95 % intervals.\(guess)</p>
      <div class="charts">
      \(charts.joined())</div>
      </section>

      """
  }

  /// The mean of one over the number of choices; nil where something was written.
  private static func chance(_ tasks: [TaskScore]) -> Double? {
    let documents = tasks.flatMap(\.documents)
    guard !documents.isEmpty, documents.allSatisfy({ $0.requests.count > 1 }) else { return nil }
    return documents.reduce(0) { $0 + 1 / Double($1.requests.count) } / Double(documents.count)
  }

  /// All figures, for those who want the digits.
  var figures: String {
    let entries = result.groups.filter { !$0.metrics.isEmpty }.map(entry) + result.tasks.map(entry)
    let rows = entries.flatMap { entry in
      entry.metrics.map { metric in
        let error = metric.standardError.map {
          metric.isShare ? HTMLText.percent($0) : HTMLText.figure($0)
        }
        let cells = [
          HTMLText.grouped(entry.documentCount), entry.shots.map { "\($0)" } ?? "–", metric.shown,
          error ?? "–",
          metric.interval == nil ? "–" : String(Self.interval(metric).drop { $0 != "[" }),
        ]
        return "<tr><th scope=\"row\">\(HTMLText.escaped(entry.name))</th>"
          + "<td class=\"word\">\(HTMLText.escaped(metric.title))</td>"
          + cells.map { "<td>\($0)</td>" }.joined() + "</tr>\n"
      }
    }
    guard !rows.isEmpty else { return "<p>Nothing was measured.</p>\n" }
    let names = ["Documents", "Shots", "Figure", "Standard error", "95 % interval"]
    let head = names.map { "<th scope=\"col\">\($0)</th>" }.joined()
    return """
      <details>
      <summary>All figures</summary>
      <p>Shares are in percent.</p>
      <div class="wide" tabindex="0" role="region" aria-label="All figures"><table>
      <thead><tr><th scope="col">Task</th><th scope="col" class="word">Metric</th>\(head)</tr></thead>
      <tbody>
      \(rows.joined())</tbody>
      </table></div>
      </details>

      """
  }

  /// Where the published figures are from.
  var sources: String {
    let used = heads.flatMap { PublishedFigure.figures(for: $0.name) }
    guard !used.isEmpty else { return "" }
    var seen: Set<String> = []
    let items = used.map { figure in
      "\(figure.source.title), \(figure.source.place)"
        + (figure.standing == .quoted ? " (as quoted by others)" : "")
    }.filter { seen.insert($0).inserted }
    let list = items.map { "<li>\(HTMLText.escaped($0))</li>\n" }.joined()
    return """
      <details>
      <summary>Sources of the published figures</summary>
      <p>Prompts, shots and scoring differ from source to source, so small differences say little.</p>
      <ul>
      \(list)</ul>
      </details>

      """
  }
}
