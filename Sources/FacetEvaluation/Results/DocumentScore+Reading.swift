// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetJSON

extension DocumentScore {
  /// A line of a file of samples; `place` says which.
  package init(json: JSON, place: String) throws(EvaluationError) {
    guard let index = json["doc_id"]?.integer, let arguments = json["arguments"]?.object,
      let responses = json["resps"]?.array
    else {
      throw EvaluationError(
        .unreadable, "\(place): this is no sample: 'doc_id', 'arguments' or 'resps' is missing.")
    }
    let requests = arguments.members.map { member in
      Request(
        context: member.value["arg_0"]?.string ?? "", continuation: member.value["arg_1"]?.string)
    }
    let isWritten = arguments.members.contains { $0.value["arg_1"]?.object != nil }
    self.init(
      index: index, document: json["doc"] ?? .null, target: json["target"]?.string ?? "",
      requests: requests,
      responses: responses.flatMap { ($0.array ?? []).map { Self.response($0, isWritten) } },
      verdicts: [Self.verdict(json, isWritten)])
  }

  private static func response(_ json: JSON, _ isWritten: Bool) -> Response {
    if let pair = json.array, pair.count == 2 {
      return .likelihood(
        logProbability: number(pair[0]), isGreedy: pair[1].string == PythonOutput.repr(true))
    }
    return isWritten
      ? .text(json.string ?? "") : .likelihood(logProbability: number(json), isGreedy: false)
  }

  private static func number(_ json: JSON) -> Double {
    json.number ?? json.string.flatMap { Double($0) } ?? .nan
  }

  private static func verdict(_ json: JSON, _ isWritten: Bool) -> Verdict {
    var verdict = Verdict(filter: json["filter"]?.string ?? "none", values: [:])
    if isWritten { verdict.filtered = (json["filtered_resps"]?.array ?? []).map(text) }
    for name in (json["metrics"]?.array ?? []).compactMap(\.string) {
      switch json[name] {
      case .bool(let value)?: verdict.values[name] = value ? 1 : 0
      case .array(let pair)? where pair.count == 2 && pair.allSatisfy { $0.number != nil }:
        verdict.values[name] = pair[0].number
        verdict.values[weightPrefix + name] = pair[1].number
      case let value?: verdict.values[name] = value.number
      case nil: break
      }
    }
    return verdict
  }

  private static func text(_ json: JSON) -> String { json.string ?? PythonOutput.dumps(json) }
}
