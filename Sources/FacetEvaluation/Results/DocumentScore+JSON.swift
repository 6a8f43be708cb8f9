// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetJSON

/// Lines of lm-eval's `samples_*.jsonl`: one for each document and filter.
extension DocumentScore {
  /// What stands before the name of a metric for its weight.
  ///
  /// Metrics of whole texts (`word_perplexity`) are means by words or bytes. The value of such a
  /// metric is a document's log-probability, and the value under this and its name is the weight;
  /// the file has both as a pair.
  public static let weightPrefix = "weight of "

  /// The three hashes by which lm-eval names a document, its prompt and its answer.
  package struct Hashes: Sendable, Hashable {
    package var document: String
    package var prompt: String
    package var target: String
    /// All three, one after the other.
    package var joined: String { document + prompt + target }
  }

  /// The document's hashes.
  package var hashes: Hashes {
    Hashes(
      document: ResultNames.hash(PythonOutput.dumps(document, indent: 2)),
      prompt: ResultNames.hash(requests.first?.context ?? ""), target: ResultNames.hash(target))
  }

  /// The line for `verdict`; `metrics` are the task's in their order.
  package func json(
    _ verdict: Verdict, metrics: [String], generation: JSON?, hashes: Hashes
  ) -> JSON {
    let names = Self.ordered(verdict, metrics)
    let members: [(String, JSON)] = [
      ("doc_id", .integer(index)), ("doc", document), ("target", .string(target)),
      ("arguments", .members(requests.indices.map { argument($0, generation) })),
      ("resps", .array(grouped.map { .array($0.map { json($0) }) })),
      ("filtered_resps", .array(filtered(verdict))),
      ("filter", .string(verdict.filter)), ("metrics", .array(names.map(JSON.string))),
      ("doc_hash", .string(hashes.document)), ("prompt_hash", .string(hashes.prompt)),
      ("target_hash", .string(hashes.target)),
    ]
    return .members(members + names.map { ($0, Self.value($0, verdict.values)) })
  }

  /// The names of the verdict's metrics: the task's first, then others.
  private static func ordered(_ verdict: Verdict, _ metrics: [String]) -> [String] {
    var seen: Set<String> = []
    let known = metrics.filter { verdict.values[$0] != nil && seen.insert($0).inserted }
    let rest = verdict.values.keys.filter { !seen.contains($0) && !$0.hasPrefix(weightPrefix) }
    return known + rest.sorted()
  }

  private static func value(_ name: String, _ values: [String: Double]) -> JSON {
    let value = JSON.number(values[name] ?? .nan)
    guard let weight = values[weightPrefix + name] else { return value }
    return .array([value, Int(exactly: weight).map { .integer($0) } ?? .number(weight)])
  }

  private func argument(_ index: Int, _ generation: JSON?) -> (String, JSON) {
    let request = requests[index]
    var members: [(String, JSON)] = [("arg_0", .string(request.context))]
    if let continuation = request.continuation {
      members.append(("arg_1", .string(continuation)))
    } else if isGenerated {
      members.append(("arg_1", generation ?? .members([])))
    }
    return ("gen_args_\(index)", .members(members))
  }

  private var isGenerated: Bool {
    responses.contains { if case .text = $0 { true } else { false } }
  }

  /// Responses by request; a request that was repeated has several.
  private var grouped: [[Response]] {
    let count = max(1, requests.count)
    let each = max(1, responses.count / count)
    return stride(from: 0, to: responses.count, by: each).map {
      Array(responses[$0..<min(responses.count, $0 + each)])
    }
  }

  private func json(_ response: Response) -> JSON {
    switch response {
    case .text(let text): .string(text)
    case .likelihood(let value, let isGreedy):
      // The likelihood of a whole text comes alone.
      requests.first?.continuation == nil
        ? .string(PythonOutput.repr(value))
        : .array([.string(PythonOutput.repr(value)), .string(PythonOutput.repr(isGreedy))])
    }
  }

  private func filtered(_ verdict: Verdict) -> [JSON] {
    verdict.filtered.isEmpty
      ? grouped.compactMap { $0.first.map { json($0) } } : verdict.filtered.map(JSON.string)
  }
}

extension TaskScore {
  /// The lines of the task's file of samples, and the task's hash.
  package func samples() -> (lines: [String], hash: String) {
    let hashes = documents.map(\.hashes)
    let generation = configuration["generation_kwargs"]
    var lines: [String] = []
    var joined = ""
    for filter in filters {
      for (document, hashes) in zip(documents, hashes) {
        for verdict in document.verdicts where verdict.filter == filter {
          let line = document.json(
            verdict, metrics: metrics.map(\.name), generation: generation, hashes: hashes)
          lines.append(PythonOutput.dumps(line))
          joined += hashes.joined
        }
      }
    }
    return (lines, ResultNames.hash(joined))
  }

  /// The filters of the verdicts, as they come.
  package var filters: [String] {
    var seen: Set<String> = []
    return documents.flatMap(\.verdicts).map(\.filter).filter { seen.insert($0).inserted }
  }
}
