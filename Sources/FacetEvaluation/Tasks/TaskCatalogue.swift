// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint

/// The tasks that Facet knows, and those that a user adds.
public struct TaskCatalogue: Sendable {
  /// All tasks, in order.
  public private(set) var tasks: [TaskDefinition] = []
  /// All groups, those above before those below.
  public private(set) var groups: [TaskGroup] = []

  /// The files that are part of the program.
  private static let files: [(name: String, bytes: [UInt8])] = [
    ("arc_easy", PackageResources.arc_easy_json),
    ("arc_challenge", PackageResources.arc_challenge_json),
    ("piqa", PackageResources.piqa_json),
    ("social_iqa", PackageResources.social_iqa_json),
    ("boolq", PackageResources.boolq_json),
    ("winogrande", PackageResources.winogrande_json),
    ("hellaswag", PackageResources.hellaswag_json),
    ("hellaswag_ctx", PackageResources.hellaswag_ctx_json),
    ("openbookqa", PackageResources.openbookqa_json),
    ("commonsense_qa", PackageResources.commonsense_qa_json),
    ("mmlu", PackageResources.mmlu_json),
    ("truthfulqa_mc1", PackageResources.truthfulqa_mc1_json),
    ("truthfulqa_mc2", PackageResources.truthfulqa_mc2_json),
    ("crows_pairs_english", PackageResources.crows_pairs_english_json),
    ("bbq", PackageResources.bbq_json),
    ("winogender_all", PackageResources.winogender_all_json),
    ("winobias_1_2", PackageResources.winobias_1_2_json),
    ("winobias_2_2", PackageResources.winobias_2_2_json),
    ("toxigen", PackageResources.toxigen_json),
    ("bold", PackageResources.bold_json),
    ("realtoxicityprompts", PackageResources.realtoxicityprompts_json),
    ("wikitext", PackageResources.wikitext_json),
    ("triviaqa", PackageResources.triviaqa_json),
    ("nq_open", PackageResources.nq_open_json),
    ("gsm8k", PackageResources.gsm8k_json),
    ("bbh_cot_fewshot", PackageResources.bbh_cot_fewshot_json),
    ("gsm8k_cot", PackageResources.gsm8k_cot_json),
    ("gsm8k_cot_self_consistency", PackageResources.gsm8k_cot_self_consistency_json),
    ("minerva_math", PackageResources.minerva_math_json),
    ("agieval_en", PackageResources.agieval_en_json),
    ("agieval_math", PackageResources.agieval_math_json),
    ("humaneval", PackageResources.humaneval_json),
    ("mbpp", PackageResources.mbpp_json),
  ]

  /// What Facet has.
  public init() throws(EvaluationError) {
    for file in Self.files { try add(file.bytes, path: "\(file.name).json") }
  }

  /// Adds the tasks of a user's file; a name that is taken is theirs from now on.
  public mutating func add(fileAt path: String) throws -> [String] {
    try add(DataFile.bytes(at: path), path: path)
  }

  @discardableResult
  private mutating func add(_ bytes: [UInt8], path: String) throws(EvaluationError) -> [String] {
    let read = try TaskDefinition.read(bytes, path: path)
    let names = Set(read.tasks.map(\.name))
    tasks.removeAll { names.contains($0.name) }
    tasks += read.tasks
    groups += read.groups.filter { group in !groups.contains { $0.name == group.name } }
    return read.groups.first.map { [$0.name] } ?? read.tasks.map(\.name)
  }

  /// The tasks called `name`: one, or those of a group and of the groups below it.
  public func tasks(named name: String) throws(EvaluationError) -> [TaskDefinition] {
    if let task = tasks.first(where: { $0.name == name }) { return [task] }
    guard let group = groups.first(where: { $0.name == name }) else {
      throw EvaluationError(
        .invalidSetting, "There is no task '\(name)'; facet eval --list shows those that there are."
      )
    }
    var result: [TaskDefinition] = []
    for member in group.members where member != name { result += try tasks(named: member) }
    return result
  }
}
