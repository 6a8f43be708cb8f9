// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON

extension TaskDefinition {
  /// The task, or the tasks where it has variants, of a file, and the groups that they make up.
  package static func read(
    _ bytes: [UInt8], path: String
  ) throws(EvaluationError) -> (tasks: [TaskDefinition], groups: [TaskGroup]) {
    let json: JSON
    do { json = try JSONReader.read(bytes, path: path) } catch {
      throw EvaluationError(.invalidTask, error.message)
    }
    var tasks: [TaskDefinition] = []
    var groups: [TaskGroup] = []
    let name = json["task"]?.string ?? ""
    for value in json["groups"]?.array ?? [] {
      let (group, variants) = try TaskGroup.read(value, taskName: name, path: path)
      groups.append(group)
      for variant in variants {
        let filled = fill(json, variant: variant)
        tasks.append(try TaskDefinition(filled, path: path, group: group.name))
      }
    }
    if groups.isEmpty { tasks.append(try TaskDefinition(json, path: path, group: nil)) }
    return (tasks, groups)
  }

  /// `json` with a variant's name where its place is held.
  private static func fill(_ json: JSON, variant: String) -> JSON {
    switch json {
    case .string(let text):
      let words = PythonText.replace(variant, "_", " ")
      let filled = PythonText.replace(text, "%variant_words%", words)
      return .string(PythonText.replace(filled, "%variant%", variant))
    case .array(let elements): return .array(elements.map { fill($0, variant: variant) })
    case .object(let object):
      var filled = JSONObject()
      for member in object.members where member.key != "groups" {
        _ = filled.append(member.key, fill(member.value, variant: variant))
      }
      return .object(filled)
    default: return json
    }
  }

  init(_ json: JSON, path: String, group: String?) throws(EvaluationError) {
    var reader = try TaskReader(json, place: path)
    let name = try reader.needed("task")
    guard !name.isEmpty, name.utf8.allSatisfy(Self.isNameByte) else {
      throw EvaluationError(
        .invalidTask,
        "\(path): the name '\(name)' may have letters, digits, '_', '-' and '.' only.")
    }
    guard let kind = try reader.choice("kind", Kind.self) else {
      throw EvaluationError(.invalidTask, "\(path): 'kind' is missing.")
    }
    let hasText = json["text"] != nil
    self.init(
      name: name, alias: try reader.text("alias") ?? name, group: group,
      version: reader.value("version")?.number ?? 1, shots: try reader.count("shots") ?? 0,
      kind: kind, source: try Source(reader.value("data"), path: path),
      preparation: try reader.choice("prepare", RowPreparation.self),
      sampler: try reader.choice("sampler", Sampler.self) ?? .random,
      preamble: try reader.text("preamble"),
      preambleReplacement: try reader.texts("preamble_replace"),
      ownExamples: reader.value("examples")?.array,
      description: try reader.text("description") ?? "", text: try Self.text(&reader),
      contexts: try reader.template("contexts"), choices: try Self.choices(&reader),
      gold: try reader.template("gold"), target: try reader.template("target"),
      exampleTarget: try reader.template("example_target"),
      targetDelimiter: try reader.text("target_delimiter") ?? " ",
      exampleDelimiter: try reader.text("example_delimiter") ?? "\n\n",
      generation: try Generation(reader.value("generation"), path: path),
      filters: try AnswerFilter.read(reader.value("filters"), path: path),
      match: try ExactMatch(reader.value("match"), path: path),
      scorer: try reader.choice("score", Scorer.self) ?? .standard,
      metrics: try reader.texts("metrics"), json: json)
    _ = reader.value("about")
    try reader.finish()
    try check(hasText: hasText, path: path)
  }

  fileprivate static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
      UInt8(ascii: "."):
      true
    default: false
    }
  }

  private static func text(_ reader: inout TaskReader) throws(EvaluationError) -> Template {
    if let template = try reader.template("text") { return template }
    return try Template("")
  }

  private static func choices(
    _ reader: inout TaskReader
  ) throws(EvaluationError) -> ChoiceTemplate? {
    guard let value = reader.value("choices") else { return nil }
    if value.string != nil {
      return try reader.template("choices").map { .all($0) }
    }
    var templates: [Template] = []
    for text in try reader.texts("choices") { templates.append(try Template(text)) }
    return .each(templates)
  }

  /// Refuses what no run could be made of.
  private func check(hasText: Bool, path: String) throws(EvaluationError) {
    func refuse(_ what: String) -> EvaluationError {
      EvaluationError(.invalidTask, "\(path): \(what)")
    }
    if !hasText { throw refuse("'text' is missing.") }
    if metrics.isEmpty { throw refuse("'metrics' is missing.") }
    for metric in metrics where !scorer.metrics(kind).contains(where: { $0(metric) }) {
      throw refuse(
        "'\(metric)' is no metric of a task of this kind; docs/evaluation.md lists them.")
    }
    switch kind {
    case .choice where gold == nil: throw refuse("'gold' is missing.")
    case .choice where choices == nil && contexts == nil: throw refuse("'choices' is missing.")
    case .generation where target == nil: throw refuse("'target' is missing.")
    default: break
    }
    if sampler == .preamble, preamble == nil { throw refuse("'preamble' is missing.") }
    guard [0, 2].contains(preambleReplacement.count), preambleReplacement.first != "" else {
      throw refuse("'preamble_replace' has a text and what takes its place.")
    }
  }
}

extension TaskDefinition.Source {
  init(_ json: JSON?, path: String) throws(EvaluationError) {
    var reader = try TaskReader(json ?? .null, place: "\(path), 'data'")
    folder = try reader.needed("folder")
    documents = try reader.texts("documents")
    examples = try reader.texts("examples")
    conditions = []
    for member in reader.value("where")?.object?.members ?? [] {
      let bounds = member.value.array?.compactMap(\.integer) ?? []
      if bounds.count == 2, bounds[0] <= bounds[1] {
        conditions.append(.lies(field: member.key, bounds[0]...bounds[1]))
      } else {
        conditions.append(.equals(field: member.key, member.value))
      }
    }
    hub = try reader.value("hub").map { (json) throws(EvaluationError) in
      try HubDataset(json, folder: folder, path: path)
    }
    try reader.finish()
    guard !documents.isEmpty, !folder.hasPrefix("/"), !folder.split(separator: "/").contains("..")
    else {
      throw EvaluationError(
        .invalidTask,
        "\(path), 'data': it needs a folder below the directory of data, and 'documents'.")
    }
  }
}

extension TaskDefinition.Generation {
  init(_ json: JSON?, path: String) throws(EvaluationError) {
    guard let json else { return }
    var reader = try TaskReader(json, place: "\(path), 'generation'")
    stops = try reader.texts("stops").filter { !$0.isEmpty }
    mostTokens = try reader.count("most_tokens") ?? 256
    temperature = reader.value("temperature")?.number ?? 0
    repeats = try reader.count("repeats") ?? 1
    try reader.finish()
    guard (0...10).contains(temperature), (1...1024).contains(repeats),
      repeats == 1 || temperature > 0
    else {
      throw EvaluationError(
        .invalidTask,
        "\(path), 'generation': 'temperature' must lie between 0 and 10, 'repeats' between 1 and 1024, and "
          + "only drawn answers differ: 'repeats' needs a 'temperature'.")
    }
    guard (1...65_536).contains(mostTokens) else {
      throw EvaluationError(
        .invalidTask, "\(path), 'generation': 'most_tokens' must lie between 1 and 65536.")
    }
  }
}

extension HubDataset {
  fileprivate init(_ json: JSON, folder: String, path: String) throws(EvaluationError) {
    var reader = try TaskReader(json, place: "\(path), 'hub'")
    self.init(
      dataset: try reader.needed("dataset"),
      configuration: try reader.text("config") ?? "default", splits: try reader.texts("splits"),
      folder: folder)
    try reader.finish()
    let names = [configuration] + splits
    let isWhole = names.allSatisfy { name in
      !name.isEmpty && !name.hasPrefix(".") && name.utf8.allSatisfy(TaskDefinition.isNameByte)
    }
    guard !splits.isEmpty, isWhole else {
      throw EvaluationError(
        .invalidTask,
        "\(path), 'hub': it needs 'splits', each a name of letters, digits, '-', '_', '.'.")
    }
  }
}
