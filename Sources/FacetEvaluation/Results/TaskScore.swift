// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetJSON

/// What one task gave: a figure for every metric, and every document behind them.
public struct TaskScore: Sendable {
  /// A figure and how sure it is.
  public struct Metric: Sendable, Hashable {
    /// `acc`, `exact_match`, …, as lm-eval names it.
    public var name: String
    /// The filter that the answers went through; `none` for likelihoods.
    public var filter: String
    /// The figure, a share between 0 and 1 unless the metric says otherwise.
    public var value: Double
    /// The standard error of `value`; nil where there is none.
    public var standardError: Double?
    /// Whether more is better.
    public var higherIsBetter: Bool

    /// A figure with its error.
    public init(
      name: String, filter: String = "none", value: Double, standardError: Double?,
      higherIsBetter: Bool = true
    ) {
      self.name = name
      self.filter = filter
      self.value = value
      self.standardError = standardError
      self.higherIsBetter = higherIsBetter
    }
  }

  /// The task's name: `arc_easy`.
  public var task: String
  /// What tables show for it.
  public var alias: String
  /// The group that it is part of; nil: none.
  public var group: String?
  /// The version of the task's definition.
  public var version: Double
  /// Examples before each question.
  public var shots: Int
  /// Documents that the task has, before any limit.
  public var documentCount: Int
  /// The figures, in the task's order.
  public var metrics: [Metric]
  /// What was asked and answered, in the order of the documents.
  public var documents: [DocumentScore]
  /// The task's definition as lm-eval's files have it (`configs`): an object.
  package var configuration: JSON

  /// An empty score of a task.
  package init(
    task: String, alias: String? = nil, group: String? = nil, version: Double = 1, shots: Int,
    documentCount: Int, metrics: [Metric] = [], documents: [DocumentScore] = [],
    configuration: JSON = .object(JSONObject())
  ) {
    self.task = task
    self.alias = alias ?? task
    self.group = group
    self.version = version
    self.shots = shots
    self.documentCount = documentCount
    self.metrics = metrics
    self.documents = documents
    self.configuration = configuration
  }
}

/// One document of a task: what the model was given, what it answered, and what that was worth.
public struct DocumentScore: Sendable {
  /// What the model was asked.
  public struct Request: Sendable, Hashable {
    /// The text that stands before.
    public var context: String
    /// The text whose likelihood is asked for; nil when the model was asked to write.
    public var continuation: String?

    /// A request for a likelihood, or to write on.
    public init(context: String, continuation: String?) {
      self.context = context
      self.continuation = continuation
    }
  }

  /// What came back.
  public enum Response: Sendable, Hashable {
    /// ln p(continuation | context), and whether the model would have said just that.
    case likelihood(logProbability: Double, isGreedy: Bool)
    /// What the model wrote, cut at the first stop.
    case text(String)
  }

  /// What the answers are worth after one filter.
  public struct Verdict: Sendable, Hashable {
    /// The filter.
    public var filter: String
    /// What it made of the responses; empty for likelihoods.
    public var filtered: [String]
    /// Metric → what this document adds to it.
    public var values: [String: Double]

    /// What the answers are worth after `filter`.
    public init(filter: String = "none", filtered: [String] = [], values: [String: Double]) {
      self.filter = filter
      self.filtered = filtered
      self.values = values
    }
  }

  /// Its place in the task's data, from 0.
  public var index: Int
  /// The row of data as it was read.
  package var document: JSON
  /// The right answer, as the task states it.
  public var target: String
  /// What was asked, one for each choice.
  public var requests: [Request]
  /// What came back, one for each request.
  public var responses: [Response]
  /// What it was worth, one for each filter.
  public var verdicts: [Verdict]

  /// A document that was asked and answered.
  package init(
    index: Int, document: JSON, target: String, requests: [Request], responses: [Response],
    verdicts: [Verdict]
  ) {
    self.index = index
    self.document = document
    self.target = target
    self.requests = requests
    self.responses = responses
    self.verdicts = verdicts
  }
}
