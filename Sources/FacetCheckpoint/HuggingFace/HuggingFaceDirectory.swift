// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

internal import FacetJSON
internal import FacetTensor

/// Turns a Hugging Face directory into a checkpoint: configuration, weights in one file or in
/// shards with an index, tokenizer, chat template, sampling defaults.
struct HuggingFaceDirectory {
  let path: String

  static let weights = "model.safetensors"
  static let index = "model.safetensors.index.json"

  /// True when the directory holds what marks one of this kind.
  static func recognizes(_ path: String) -> Bool {
    FileSystem.exists(FileSystem.join(path, "config.json"))
  }

  func open() throws(CheckpointError) -> Checkpoint {
    let config = HuggingFaceConfig(try require("config.json"), path: file("config.json"))
    var description = try config.description(name: FileSystem.split(path).name)
    let files = try weightFiles()
    var tensors = try tensors(files, &description)
    if description.isBidirectional { tensors.merge(try denseTensors()) { first, _ in first } }
    return try checkpoint(
      config, description, tensors, byteCount: files.reduce(0) { $0 + $1.storage.byteCount })
  }

  /// The model that the directory describes, whose weights do not exist yet.
  func blank() throws(CheckpointError) -> Checkpoint {
    let config = HuggingFaceConfig(try require("config.json"), path: file("config.json"))
    let description = try config.description(name: FileSystem.split(path).name)
    return try checkpoint(config, description, [:], byteCount: 0)
  }

  private func checkpoint(
    _ config: HuggingFaceConfig, _ description: ArchitectureDescription,
    _ tensors: [TensorName: Tensor], byteCount: Int
  ) throws(CheckpointError) -> Checkpoint {
    let settings = try json("tokenizer_config.json")
    return Checkpoint(
      path: path, format: .safetensors, byteCount: byteCount, architecture: description,
      tensors: tensors,
      tokenizer: try tokenizer(config, settings: settings),
      chatTemplate: try chatTemplate(settings),
      generationDefaults: try generationDefaults(config),
      metadata: (config.root.object?.members ?? []).map {
        MetadataEntry(key: $0.key, value: $0.value.string ?? $0.value.text)
      })
  }

  private func file(_ name: String) -> String { FileSystem.join(path, name) }

  /// The JSON file `name`, nil when there is none.
  private func json(_ name: String) throws(CheckpointError) -> JSON? {
    guard FileSystem.exists(file(name)) else { return nil }
    return try FileSystem.readJSON(file(name), limit: 1 << 26)
  }

  private func require(_ name: String) throws(CheckpointError) -> JSON {
    guard let value = try json(name) else {
      throw CheckpointError(.notFound, "'\(path)' has no \(name). Download the model again.")
    }
    return value
  }
}

// MARK: - Weights

extension HuggingFaceDirectory {
  /// The one file, or the shards that the index names.
  func weightFiles() throws(CheckpointError) -> [SafetensorsFile] {
    guard !FileSystem.exists(file(HuggingFaceDirectory.weights)) else {
      return [try open(HuggingFaceDirectory.weights)]
    }
    guard let index = try json(HuggingFaceDirectory.index) else {
      throw CheckpointError(
        .notFound,
        "'\(path)' has neither \(HuggingFaceDirectory.weights) nor \(HuggingFaceDirectory.index). "
          + "Download the model again.")
    }
    var expected: [String: Set<String>] = [:]
    for member in index["weight_map"]?.object?.members ?? [] {
      guard let shard = member.value.string, isOwnFile(shard) else {
        throw CheckpointError(
          .malformed,
          "'\(file(HuggingFaceDirectory.index))' names no file of its own directory for "
            + "'\(member.key)'.")
      }
      expected[shard, default: []].insert(member.key)
    }
    guard !expected.isEmpty else {
      throw CheckpointError(
        .malformed, "'\(file(HuggingFaceDirectory.index))' names no tensors. Download it again.")
    }
    var files: [SafetensorsFile] = []
    for (name, tensors) in expected.sorted(by: { $0.key < $1.key }) {
      let shard = try open(name)
      if let missing = tensors.subtracting(shard.tensors.map(\.name)).min() {
        throw CheckpointError(
          .missingTensor,
          "The index of '\(path)' promises tensor '\(missing)' in \(name), which lacks it. "
            + "Download \(name) again.")
      }
      files.append(shard)
    }
    return files
  }

  /// True for the name of a file in this directory: no way out of it, nothing hidden, no NUL, at
  /// which the system would cut it off.
  private func isOwnFile(_ name: String) -> Bool {
    !name.isEmpty && !name.hasPrefix(".") && !name.utf8.contains { $0 == 0 || $0 == 0x2F }
  }

  private func open(_ name: String) throws(CheckpointError) -> SafetensorsFile {
    guard FileSystem.exists(file(name)) else {
      throw CheckpointError(.notFound, "'\(path)' lacks \(name). Download it.")
    }
    return try SafetensorsFile(storage: TensorStorage.mapped(file(name)), path: file(name))
  }

  private func tensors(
    _ files: [SafetensorsFile], _ description: inout ArchitectureDescription
  ) throws(CheckpointError) -> [TensorName: Tensor] {
    let isGemma = description.architecture.hasPrefix("gemma")
    let tied = description.tiedEmbeddings ?? isGemma
    description.tiedEmbeddings = tied
    let names = HuggingFaceNames(architecture: description.architecture)
    var tensors: [TensorName: Tensor] = [:]
    for file in files {
      for entry in file.tensors {
        let name: TensorName
        switch names.meaning(entry.name) {
        case .ignored: continue
        case .tensor(let meant): name = meant
        case .unknown:
          throw CheckpointError(
            .unexpectedTensor,
            "'\(file.path)' holds tensor '\(entry.name)', which Facet does not know in a "
              + "\(description.architecture) model.")
        }
        if name.role == .head, tied { continue }
        let tensor = try Weights.view(
          file.stored(entry), role: name.role, addingOne: isGemma && name.role.isNorm)
        guard tensors.updateValue(tensor, forKey: name) == nil else {
          throw CheckpointError(.malformed, "'\(path)' holds tensor '\(entry.name)' twice.")
        }
      }
    }
    description.vocabulary = description.vocabulary ?? tensors[TensorName(.embedding)]?.rows
    return tensors
  }
}

// MARK: - Around the weights

extension HuggingFaceDirectory {
  private func tokenizer(
    _ config: HuggingFaceConfig, settings: JSON?
  ) throws(CheckpointError) -> TokenizerSource {
    let settings = TokenizerSettings(
      bos: config.id("bos_token_id"), eos: config.id("eos_token_id"),
      padding: config.id("pad_token_id"), addsBOS: settings?["add_bos_token"]?.bool,
      addsEOS: settings?["add_eos_token"]?.bool)
    if FileSystem.exists(file("tokenizer.model")) {
      return .sentencePiece(TokenizerFile(path: file("tokenizer.model")), settings)
    }
    if FileSystem.exists(file("tokenizer.json")) {
      return .json(TokenizerFile(path: file("tokenizer.json")), settings)
    }
    throw CheckpointError(
      .notFound,
      "'\(path)' has neither tokenizer.model nor tokenizer.json. Download the model again.")
  }

  /// The template: a file of its own, or in the tokenizer's settings; of several, the default.
  private func chatTemplate(_ settings: JSON?) throws(CheckpointError) -> String? {
    let name = file("chat_template.jinja")
    if FileSystem.exists(name) {
      return String(decoding: try FileSystem.read(name, limit: 1 << 24), as: UTF8.self)
    }
    let template = settings?["chat_template"]
    if let text = template?.string { return text }
    let named = template?.array ?? []
    return (named.first { $0["name"]?.string == "default" } ?? named.first)?["template"]?.string
  }

  private func generationDefaults(
    _ config: HuggingFaceConfig
  ) throws(CheckpointError) -> GenerationDefaults {
    let stated = try json("generation_config.json")
    var stops = HuggingFaceConfig.stopTokens(stated?["eos_token_id"])
    if stops.isEmpty { stops = config.ids("eos_token_id") }
    return GenerationDefaults(
      stopTokens: stops, temperature: stated?["temperature"]?.number.map { Float($0) },
      topK: stated?["top_k"]?.integer, topP: stated?["top_p"]?.number.map { Float($0) })
  }
}
