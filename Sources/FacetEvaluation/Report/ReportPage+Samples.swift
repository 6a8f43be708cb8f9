// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetJSON

extension ReportPage {
  /// More documents than these make a page too large to open.
  private static let greatestDocumentCount = 2000
  /// Longer prompts are shown without their middle.
  private static let greatestPromptLength = 6000

  /// The documents, with what is needed to look through them.
  var browser: String {
    let tasks = result.tasks.filter { !$0.documents.isEmpty }
    guard !tasks.isEmpty else { return "" }
    let each = max(20, Self.greatestDocumentCount / tasks.count)
    let data = JSON.array(tasks.map { Self.json($0, most: each) })
    return """
      <section aria-labelledby="documents">
      <h2 id="documents">Documents</h2>
      <noscript><p>Looking through the documents needs scripts; files of samples have them all.</p></noscript>
      <form id="filters">
      <label>Task <select id="task"></select></label>
      <label>Show <select id="verdict"><option value="all">all</option>\
      <option value="right">right</option><option value="wrong">wrong</option></select></label>
      <label class="grow">Search <input id="search" type="search" autocomplete="off"></label>
      </form>
      <p id="count" role="status"></p>
      <div id="list"></div>
      <button id="more" type="button" hidden>Show more</button>
      </section>
      <script type="application/json" id="data">\(HTMLText.script(PythonOutput.dumps(data)))</script>
      <script>\(Self.script)</script>

      """
  }

  private static func json(_ task: TaskScore, most: Int) -> JSON {
    let metric = task.metrics.first { $0.isShare }
    return .members([
      ("name", .string(task.task)), ("total", .integer(task.documents.count)),
      ("metric", .optional(metric?.title)),
      ("documents", .array(task.documents.prefix(most).map { json($0, metric) })),
    ])
  }

  private static func json(_ document: DocumentScore, _ metric: TaskScore.Metric?) -> JSON {
    let verdict =
      document.verdicts.first { $0.filter == metric?.filter } ?? document.verdicts.first
    let value = metric.flatMap { verdict?.values[$0.name] }
    let isRight: JSON = value.map { .bool($0 >= 0.5) } ?? .null
    return .members([
      ("index", .integer(document.index)), ("right", isRight),
      ("target", .string(document.target)),
      ("prompt", .string(shortened(document.requests.first?.context ?? ""))),
      ("choices", .array(choices(document))), ("written", .array(written(document))),
      ("filtered", .array((verdict?.filtered ?? []).map { .string(shortened($0)) })),
      ("values", .members(values(verdict))),
    ])
  }

  private static func values(_ verdict: DocumentScore.Verdict?) -> [(String, JSON)] {
    (verdict?.values ?? [:]).sorted { $0.key < $1.key }.map {
      ($0.key, $0.value.isFinite ? .number($0.value) : .string("\($0.value)"))
    }
  }

  /// Each choice with its log-probability.
  private static func choices(_ document: DocumentScore) -> [JSON] {
    let requests = document.requests
    guard requests.count == document.responses.count else { return [] }
    // Where the choice is filled into the text before, that is what differs.
    let isSame = Set(requests.map(\.continuation)).count == 1 && requests.count > 1
    return zip(requests, document.responses).enumerated().compactMap { index, pair in
      guard case .likelihood(let value, let isGreedy) = pair.1 else { return nil }
      let text = isSame ? pair.0.context : pair.0.continuation ?? "(the whole text)"
      return .members([
        ("text", .string(shortened(text))),
        ("logProbability", value.isFinite ? .number(value) : .null), ("greedy", .bool(isGreedy)),
        ("target", .bool(isTarget(document.target, index, text))),
      ])
    }
  }

  private static func isTarget(_ target: String, _ index: Int, _ choice: String) -> Bool {
    if let place = Int(target) { return place == index }
    func bare(_ text: String) -> Substring {
      text.drop(while: \.isWhitespace).prefix { !$0.isNewline }
    }
    return bare(target) == bare(choice)
  }

  private static func written(_ document: DocumentScore) -> [JSON] {
    document.responses.compactMap {
      if case .text(let text) = $0 { .string(shortened(text)) } else { nil }
    }
  }

  private static func shortened(_ text: String) -> String {
    guard text.count > greatestPromptLength else { return text }
    let head = text.prefix(greatestPromptLength / 6)
    let tail = text.suffix(greatestPromptLength * 5 / 6)
    return "\(head)\n[… \(text.count - head.count - tail.count) characters left out …]\n\(tail)"
  }
}
