// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetJSON

/// The content of lm-eval's `results_*.json`: the same keys in the same order.
extension EvaluationResult {
  /// The content of the file; `taskHashes` come from the documents.
  package func json(taskHashes: [(String, String)]) -> JSON {
    var members: [(String, JSON)] = [("results", .members(scores))]
    let aggregated = groups.bottomUp.filter { !$0.metrics.isEmpty }
    if !aggregated.isEmpty {
      members.append(("groups", .members(aggregated.map { ($0.name, Self.figures($0)) })))
    }
    members += [
      ("group_subtasks", .members(groups.map { ($0.name, .array($0.members.map(JSON.string))) })),
      ("configs", Self.sorted(tasks.map { ($0.task, $0.configuration) })),
      ("versions", Self.sorted(versions)),
      ("n-shot", Self.sorted(shots.map { ($0.key, .integer($0.value)) })),
      ("higher_is_better", Self.sorted(directions.map { ($0.key, .members($0.value)) })),
      ("n-samples", .members(tasks.map { ($0.task, Self.counts($0)) })),
      ("config", configuration),
      ("git_hash", .null), ("date", .number(start)),
      ("pretty_env_info", .string(settings.environment)),
      ("transformers_version", .string("N/A")), ("lm_eval_version", .string("N/A")),
      ("upper_git_hash", .null),
    ]
    members += tokenizer
    members += [
      ("task_hashes", .members(taskHashes.map { ($0, .string($1)) })),
      ("model_source", .string(model.source)), ("model_name", .string(model.name)),
      ("model_name_sanitized", .string(ResultNames.sanitized(model.name))),
      ("system_instruction", .optional(settings.systemInstruction)),
      ("system_instruction_sha", .optional(settings.systemInstruction.map(ResultNames.hash))),
      ("fewshot_as_multiturn", .bool(settings.examplesAreTurns)),
      ("chat_template", .optional(settings.chatTemplate)),
      ("chat_template_sha", .optional(settings.chatTemplate.map(ResultNames.hash))),
      ("total_evaluation_time_seconds", .string(PythonOutput.repr(seconds))),
    ]
    // Not one of lm-eval's keys, which its readers pass over.
    members.append(("facet", .members(own)))
    return .members(members)
  }

  private var own: [(String, JSON)] {
    [("software", .optional(settings.software)), ("suite", .optional(settings.suite))]
  }

  /// Keys in the order of their code points, as Python sorts them.
  private static func sorted(_ members: [(String, JSON)]) -> JSON {
    .members(members.sorted { $0.0.unicodeScalars.lexicographicallyPrecedes($1.0.unicodeScalars) })
  }

  private var scores: [(String, JSON)] {
    tasks.map { task in
      let head: [(String, JSON)] = [
        ("name", .string(task.task)), ("alias", .string(task.alias)),
        ("sample_len", .integer(task.documents.count)),
      ]
      return (task.task, .members(head + Self.figures(task.metrics)))
    } + groups.bottomUp.map { ($0.name, Self.figures($0)) }
  }

  private static func figures(_ group: GroupResult) -> JSON {
    var members: [(String, JSON)] = [
      ("alias", .string(group.alias)), ("name", .string(group.name)),
    ]
    guard !group.metrics.isEmpty else { return .members(members) }
    members.append(("sample_len", .integer(group.documentCount)))
    members += figures(group.metrics)
    let counts = group.metrics.compactMap { metric in
      group.metricCounts[metric.key].map { (metric.key, JSON.integer($0)) }
    }
    if !counts.isEmpty { members.append(("sample_count", .members(counts))) }
    return .members(members)
  }

  private static func figures(_ metrics: [TaskScore.Metric]) -> [(String, JSON)] {
    metrics.flatMap { metric in
      [
        (metric.key, JSON.number(metric.value)),
        (
          "\(metric.name)_stderr,\(metric.filter)",
          metric.standardError.map { .number($0) } ?? .string("N/A")
        ),
      ]
    }
  }

  private static func counts(_ task: TaskScore) -> JSON {
    .members([
      ("original", .integer(task.documentCount)), ("effective", .integer(task.documents.count)),
    ])
  }

  private var versions: [(String, JSON)] {
    tasks.map { ($0.task, .number($0.version)) } + groups.map { ($0.name, .string($0.version)) }
  }

  private var configuration: JSON {
    var members: [(String, JSON)] = [
      ("model", .string(model.source)), ("model_args", .optional(model.arguments)),
    ]
    if let count = model.parameterCount {
      members.append(("model_num_parameters", .integer(count)))
    }
    if let type = model.dataType { members.append(("model_dtype", .string(type))) }
    if let digest = model.digest { members.append(("model_sha", .string(digest))) }
    members += [
      ("batch_size", .optional(settings.batchSize)), ("batch_sizes", .array([])),
      ("device", .string("cpu")), ("use_cache", .null),
      ("limit", settings.limit.map { .number($0) } ?? .null),
      ("bootstrap_iters", .integer(settings.bootstrapCount)),
      ("gen_kwargs", settings.generation ?? .null),
      ("random_seed", .integer(settings.seeds.random)),
      ("numpy_seed", .integer(settings.seeds.numpy)),
      ("torch_seed", .integer(settings.seeds.torch)),
      ("fewshot_seed", .integer(settings.seeds.examples)),
    ]
    return .members(members)
  }

  private var tokenizer: [(String, JSON)] {
    guard model.pad != nil || model.eos != nil || model.bos != nil else { return [] }
    func pair(_ token: ModelFacts.Token?) -> JSON {
      .array([.optional(token?.text), .string(token.map { "\($0.id)" } ?? "None")])
    }
    return [
      ("tokenizer_pad_token", pair(model.pad)), ("tokenizer_eos_token", pair(model.eos)),
      ("tokenizer_bos_token", pair(model.bos)),
      ("eot_token_id", .optional(model.endOfTextID)),
      ("max_length", .optional(model.contextLength)),
    ]
  }
}

extension TaskScore.Metric {
  /// The metric's name in files: `acc,none`.
  public var key: String { "\(name),\(filter)" }
}
