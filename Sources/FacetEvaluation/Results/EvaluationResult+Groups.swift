// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetJSON

/// What lm-eval says of groups because of what their tasks say.
extension EvaluationResult {
  /// Examples before each question, by task and group.
  ///
  /// A group has a number when its members that have one agree on it.
  package var shots: [String: Int] {
    var shots = Dictionary(tasks.map { ($0.task, $0.shots) }) { first, _ in first }
    for group in groups {
      let values = Set(group.members.compactMap { shots[$0] })
      if values.count == 1, let value = values.first { shots[group.name] = value }
    }
    return shots
  }

  /// Metric → whether more is better, by task and group; null where members disagree.
  package var directions: [String: [(String, JSON)]] {
    var directions: [String: [(String, JSON)]] = [:]
    for task in tasks {
      var seen: Set<String> = []
      directions[task.task] = task.metrics.filter { seen.insert($0.name).inserted }
        .map { ($0.name, .bool($0.higherIsBetter)) }
    }
    for group in groups {
      var merged: [(String, JSON)] = []
      for (name, value) in group.members.flatMap({ directions[$0] ?? [] }) {
        if let index = merged.firstIndex(where: { $0.0 == name }) {
          if merged[index].1 != value { merged[index].1 = .null }
        } else {
          merged.append((name, value))
        }
      }
      if !merged.isEmpty { directions[group.name] = merged }
    }
    return directions
  }
}

extension [GroupResult] {
  /// Children before parents.
  package var bottomUp: [GroupResult] {
    let byName = Dictionary(map { ($0.name, $0) }) { first, _ in first }
    let children = Set(flatMap(\.members))
    var result: [GroupResult] = []
    var visited: Set<String> = []
    func visit(_ group: GroupResult) {
      guard visited.insert(group.name).inserted else { return }
      for member in group.members { if let child = byName[member] { visit(child) } }
      result.append(group)
    }
    for group in self where !children.contains(group.name) { visit(group) }
    // Groups that hold one another have no root.
    for group in self { visit(group) }
    return result
  }
}
