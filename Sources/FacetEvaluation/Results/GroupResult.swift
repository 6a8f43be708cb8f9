// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What a group of tasks gave: means over its tasks.
public struct GroupResult: Sendable, Hashable {
  /// How a metric of the tasks becomes one of the group.
  public struct Aggregation: Sendable, Hashable {
    /// The metric.
    public var metric: String
    /// The filters; nil: all that the tasks have.
    public var filters: [String]?
    /// Whether larger tasks count for more.
    public var isWeighted: Bool

    /// The mean of `metric` over the tasks.
    public init(metric: String, filters: [String]? = nil, isWeighted: Bool = true) {
      self.metric = metric
      self.filters = filters
      self.isWeighted = isWeighted
    }
  }

  /// The group's name: `mmlu`.
  public var name: String
  /// What tables show for it.
  public var alias: String
  /// The version of its definition.
  public var version: String
  /// Its tasks and groups.
  public var members: [String]
  /// Its figures; none: the group only holds tasks together.
  public var metrics: [TaskScore.Metric]
  /// The documents behind its figures.
  public var documentCount: Int
  /// The documents behind each figure, by `metric,filter`.
  public var metricCounts: [String: Int]

  /// A group without figures.
  public init(name: String, alias: String? = nil, version: String = "N/A", members: [String]) {
    self.name = name
    self.alias = alias ?? name
    self.version = version
    self.members = members
    metrics = []
    documentCount = 0
    metricCounts = [:]
  }

  /// Computes the group's figures from `tasks`: all that are in it, those of its groups included.
  public mutating func aggregate(_ aggregations: [Aggregation], over tasks: [TaskScore]) {
    guard !aggregations.isEmpty else { return }
    documentCount = tasks.reduce(0) { $0 + $1.documents.count }
    for aggregation in aggregations {
      let known = Set(
        tasks.flatMap { $0.metrics.filter { $0.name == aggregation.metric }.map(\.filter) })
      for filter in aggregation.filters ?? known.sorted() {
        append(aggregation, filter, tasks)
      }
    }
  }

  private mutating func append(
    _ aggregation: Aggregation, _ filter: String, _ tasks: [TaskScore]
  ) {
    let found = tasks.compactMap { task in
      task.metrics.first { $0.name == aggregation.metric && $0.filter == filter }
        .map { (metric: $0, count: task.documents.count) }
    }
    guard let first = found.first else { return }
    let counts = found.map(\.count)
    let errors = found.compactMap(\.metric.standardError)
    let error: Double? =
      errors.count < found.count
      ? nil : aggregation.isWeighted ? Self.pooled(errors, counts) : Self.unweighted(errors)
    let weights = aggregation.isWeighted ? counts : counts.map { _ in 1 }
    metrics.append(
      TaskScore.Metric(
        name: aggregation.metric, filter: filter,
        value: zip(found, weights).reduce(0) { $0 + $1.0.metric.value * Double($1.1) }
          / Double(weights.reduce(0, +)),
        standardError: error, higherIsBetter: first.metric.higherIsBetter))
    metricCounts["\(aggregation.metric),\(filter)"] = counts.reduce(0, +)
  }

  /// The error of a mean over all documents of the tasks; nil where they are too few.
  private static func pooled(_ errors: [Double], _ counts: [Int]) -> Double? {
    let count = counts.reduce(0, +)
    guard count > counts.count else { return nil }
    let sum = zip(errors, counts).reduce(0.0) { sum, term in
      sum + Double(term.1 - 1) * (term.0 * term.0) * Double(term.1)
    }
    return (sum / Double(count - counts.count) / Double(count)).squareRoot()
  }

  /// The error of a mean over the tasks.
  private static func unweighted(_ errors: [Double]) -> Double {
    errors.reduce(0) { $0 + $1 * $1 }.squareRoot() / Double(errors.count)
  }
}
