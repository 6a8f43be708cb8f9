// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What somebody published about a model on a benchmark.
public struct PublishedFigure: Sendable, Hashable {
  /// Where figures were published.
  public struct Source: Sendable, Hashable {
    /// What it is, with its version and day.
    public var title: String
    /// The table in it.
    public var place: String
  }

  /// How the figure came to be known here.
  public enum Standing: Sendable, Hashable {
    /// Read in the source.
    case read
    /// Quoted by others; the source itself was not at hand.
    case quoted
  }

  /// The model as the source calls it.
  public var model: String
  /// The task, as lm-eval names it.
  public var task: String
  /// The benchmark as the source calls it.
  public var benchmark: String
  /// The figure in the source's unit: percent, but for averages of toxicity.
  public var value: Double
  /// Examples before each question; nil: the source does not say.
  public var shots: Int?
  /// The metric in the source's words; nil: it does not say.
  public var metric: String?
  /// What else the source says of it.
  public var note: String?
  /// How it came to be known.
  public var standing: Standing
  /// Where it was published.
  public var source: Source
}

extension PublishedFigure {
  /// All published figures of the task: `arc_easy`, or a task that begins so (`arc_easy_0shot`).
  public static func figures(for task: String) -> [PublishedFigure] {
    let own = all.filter { $0.task == task }
    guard own.isEmpty else { return own }
    // The longest name that the task's begins with: variants are named after what they vary.
    let names = Set(all.map(\.task)).filter { task.hasPrefix($0 + "_") && !isSubject(task, of: $0) }
    guard let longest = names.max(by: { $0.count < $1.count }) else { return [] }
    return all.filter { $0.task == longest }
  }

  /// Subjects of MMLU and kinds of MATH are parts, not variants: the whole's figure is not theirs.
  private static func isSubject(_ task: String, of whole: String) -> Bool {
    ["mmlu", "minerva_math", "agieval_en", "bbh_cot_fewshot", "bbq"].contains(whole)
  }

  /// All of them, by source.
  public static let all: [PublishedFigure] = gemmaReport + safetyReport + gemma3Card
}
