// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

/// Tasks that have figures together, weighted by their documents.
public struct TaskGroup: Sendable, Hashable {
  /// The name.
  public var name: String
  /// What tables show.
  public var alias: String
  /// The version.
  public var version: Double
  /// The metrics that are taken together.
  public var metrics: [String]
  /// Its tasks, or the groups below it.
  public var members: [String]

  /// Reads a group of a file whose tasks are called `taskName`, and the variants that it names.
  static func read(
    _ json: JSON, taskName: String, path: String
  ) throws(EvaluationError) -> (TaskGroup, variants: [String]) {
    var reader = try TaskReader(json, place: "\(path), 'groups'")
    let name = try reader.needed("group")
    let variants = try reader.texts("variants")
    let tasks = variants.map { PythonText.replace(taskName, "%variant%", $0) }
    let group = TaskGroup(
      name: name, alias: try reader.text("alias") ?? name,
      version: reader.value("version")?.number ?? 1, metrics: try reader.texts("metrics"),
      members: tasks + (try reader.texts("groups")))
    try reader.finish()
    return (group, variants)
  }
}

extension TaskCatalogue {
  /// The figures of the groups whose tasks, those of the groups below them included, are all among
  /// `scores`.
  public func groupResults(_ scores: [TaskScore]) -> [GroupResult] {
    groups.compactMap { group in
      guard let tasks = try? tasks(named: group.name), !tasks.isEmpty else { return nil }
      let members = tasks.compactMap { task in scores.first { $0.task == task.name } }
      guard members.count == tasks.count else { return nil }
      let version = group.version
      var result = GroupResult(
        name: group.name, alias: group.alias,
        version: version == version.rounded() ? "\(Int(version))" : "\(version)",
        members: group.members)
      result.aggregate(group.metrics.map { GroupResult.Aggregation(metric: $0) }, over: members)
      return result
    }
  }
}
