// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import FacetJSON

extension EvaluationResult {
  /// The figures of a `results_*.json`; documents are in files of their own.
  package init(json: JSON, path: String) throws(EvaluationError) {
    guard let results = json["results"]?.object else {
      throw EvaluationError(
        .unreadable, "'\(path)' has no 'results': it is no file of results of an evaluation.")
    }
    self.init(
      model: ModelFacts(reading: json), settings: Settings(reading: json),
      start: json["date"]?.number ?? 0,
      seconds: json["total_evaluation_time_seconds"]?.string.flatMap { Double($0) } ?? 0)
    let groupNames = Set((json["group_subtasks"]?.object?.members ?? []).map(\.key))
    for member in results.members where !groupNames.contains(member.key) {
      tasks.append(try Self.task(member.key, member.value, json, path))
    }
    for member in json["group_subtasks"]?.object?.members ?? [] {
      groups.append(try Self.group(member.key, member.value, json, path))
    }
    for index in tasks.indices {
      tasks[index].group = groups.first { $0.members.contains(tasks[index].task) }?.name
    }
  }

  private static func task(
    _ name: String, _ figures: JSON, _ json: JSON, _ path: String
  ) throws(EvaluationError) -> TaskScore {
    var task = TaskScore(
      task: name, alias: figures["alias"]?.string, version: json["versions"]?[name]?.number ?? 0,
      shots: json["n-shot"]?[name]?.integer ?? 0,
      documentCount: json["n-samples"]?[name]?["original"]?.integer ?? 0,
      configuration: json["configs"]?[name] ?? .members([]))
    task.metrics = try metrics(name, figures, json, path)
    return task
  }

  private static func group(
    _ name: String, _ members: JSON, _ json: JSON, _ path: String
  ) throws(EvaluationError) -> GroupResult {
    let figures = json["results"]?[name] ?? .members([])
    var group = GroupResult(
      name: name, alias: figures["alias"]?.string,
      version: json["versions"]?[name]?.string ?? "N/A",
      members: (members.array ?? []).compactMap(\.string))
    group.metrics = try metrics(name, figures, json, path)
    group.documentCount = figures["sample_len"]?.integer ?? 0
    for count in figures["sample_count"]?.object?.members ?? [] {
      group.metricCounts[count.key] = count.value.integer
    }
    return group
  }

  private static func metrics(
    _ name: String, _ figures: JSON, _ json: JSON, _ path: String
  ) throws(EvaluationError) -> [TaskScore.Metric] {
    guard let members = figures.object?.members else {
      throw EvaluationError(.unreadable, "'\(path)': the results of '\(name)' are no object.")
    }
    return members.compactMap { member in
      guard let comma = member.key.firstIndex(of: ","), let value = member.value.number else {
        return nil
      }
      let metric = String(member.key[..<comma])
      let filter = String(member.key[member.key.index(after: comma)...])
      guard !metric.hasSuffix("_stderr") else { return nil }
      return TaskScore.Metric(
        name: metric, filter: filter, value: value,
        standardError: figures["\(metric)_stderr,\(filter)"]?.number,
        higherIsBetter: json["higher_is_better"]?[name]?[metric]?.bool ?? true)
    }
  }
}

extension EvaluationResult.ModelFacts {
  fileprivate init(reading json: JSON) {
    self.init(
      name: json["model_name"]?.string ?? json["config"]?["model"]?.string ?? "?",
      source: json["model_source"]?.string ?? json["config"]?["model"]?.string ?? "?")
    arguments = json["config"]?["model_args"]?.string
    parameterCount = json["config"]?["model_num_parameters"]?.integer
    dataType = json["config"]?["model_dtype"]?.string
    digest = json["config"]?["model_sha"]?.string
    contextLength = json["max_length"]?.integer
    bos = Self.token(json["tokenizer_bos_token"])
    eos = Self.token(json["tokenizer_eos_token"])
    pad = Self.token(json["tokenizer_pad_token"])
    endOfTextID = json["eot_token_id"]?.integer
  }

  private static func token(_ json: JSON?) -> Token? {
    guard let pair = json?.array, pair.count == 2, let text = pair[0].string,
      let id = pair[1].string.flatMap({ Int($0) })
    else { return nil }
    return Token(text, id)
  }
}

extension EvaluationResult.Settings {
  fileprivate init(reading json: JSON) {
    self.init()
    let config = json["config"]
    batchSize = config?["batch_size"]?.integer
    limit = config?["limit"]?.number
    bootstrapCount = config?["bootstrap_iters"]?.integer ?? bootstrapCount
    generation = config?["gen_kwargs"]
    seeds.random = config?["random_seed"]?.integer ?? seeds.random
    seeds.numpy = config?["numpy_seed"]?.integer ?? seeds.numpy
    seeds.torch = config?["torch_seed"]?.integer ?? seeds.torch
    seeds.examples = config?["fewshot_seed"]?.integer ?? seeds.examples
    systemInstruction = json["system_instruction"]?.string
    chatTemplate = json["chat_template"]?.string
    examplesAreTurns = json["fewshot_as_multiturn"]?.bool ?? false
    environment = json["pretty_env_info"]?.string ?? ""
    suite = json["facet"]?["suite"]?.string
    software = json["facet"]?["software"]?.string
  }
}
