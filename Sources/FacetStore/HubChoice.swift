// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Which files of a repository make up a model.
package struct HubChoice: Sendable {
  package let reference: HubReference
  package let files: [HubFile]

  package init(_ reference: HubReference, _ files: [HubFile]) {
    self.reference = reference
    self.files = files
  }

  /// What belongs beside the weights of a safetensors model.
  static let companions: Set<String> = [
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer.model",
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "merges.txt", "chat_template.jinja", "chat_template.json",
  ]
  private static let index = "model.safetensors.index.json"

  /// The files to fetch, or why there are none.
  package func chosen() throws(StoreError) -> [HubFile] {
    for file in files where Self.leadsOut(file.name) {
      throw StoreError(
        .corrupt,
        "'\(id)' lists a file '\(PlainText.line(file.name))', whose name would lead out of the "
          + "library. Nothing was fetched.")
    }
    let chosen = reference.selector == nil ? try wholeModel() : try selectedFile()
    for file in chosen {
      guard HubReference.isPath(file.name) else {
        throw StoreError(
          .corrupt,
          "The file '\(PlainText.line(file.name))' of '\(id)' has a name that the library cannot "
            + "keep. Download it by hand and give Facet its path.")
      }
      guard file.byteCount != nil else {
        throw StoreError(
          .unavailable, "The Hub does not say how large '\(file.name)' of '\(id)' is. Pull again.")
      }
    }
    return chosen.sorted { $0.name < $1.name }
  }

  private var id: String { "hf:\(reference.repositoryID)" }

  /// Absolute, with `..`, or with a component that is empty.
  private static func leadsOut(_ name: String) -> Bool {
    name.contains("\\") || name.contains("\0")
      || name.split(separator: "/", omittingEmptySubsequences: false).contains {
        $0.isEmpty || $0 == "." || $0 == ".."
      }
  }

  // MARK: Safetensors

  private func wholeModel() throws(StoreError) -> [HubFile] {
    let weights = try safetensors()
    guard !weights.isEmpty else { return try onlyGGUF() }
    guard files.contains(where: { $0.name == "config.json" }) else {
      throw StoreError(
        .notFound,
        "'\(id)' has weights but no config.json: it is not a model by itself, but perhaps an "
          + "adapter for one.")
    }
    return weights + files.filter { Self.companions.contains($0.name) }
  }

  /// One file, or the shards and their index; nothing of the same weights in other forms.
  private func safetensors() throws(StoreError) -> [HubFile] {
    if let single = files.first(where: { $0.name == "model.safetensors" }) { return [single] }
    let shards = files.filter { $0.name.hasPrefix("model-") && $0.name.hasSuffix(".safetensors") }
    guard let index = files.first(where: { $0.name == Self.index }), !shards.isEmpty else {
      return files.filter { $0.name == "adapter_model.safetensors" }
    }
    for group in SplitFile.groups(shards) { try checkWhole(group) }
    return shards + [index]
  }

  // MARK: GGUF

  /// The models in GGUF: each a file, or several parts of one.
  private var candidates: [SplitFile.Group] {
    let models = files.filter { file in
      let base = Self.base(file.name).lowercased()
      // Parts of a vision model and statistics for quantisation are no models.
      return base.hasSuffix(".gguf") && !base.hasPrefix("mmproj") && !base.contains("imatrix")
    }
    return SplitFile.groups(models)
  }

  private func onlyGGUF() throws(StoreError) -> [HubFile] {
    let candidates = candidates
    guard let first = candidates.first else {
      throw StoreError(
        .notFound,
        "'\(id)' holds no model that Facet reads: neither model.safetensors with its config.json "
          + "nor a GGUF file.")
    }
    guard candidates.count == 1 else {
      throw StoreError(
        .notFound,
        "'\(id)' holds \(candidates.count) models. Name one, as in \(id):\(first.label): "
          + list(candidates) + ".")
    }
    try checkWhole(first)
    return first.files
  }

  private func selectedFile() throws(StoreError) -> [HubFile] {
    let wanted = reference.selector ?? ""
    if let exact = files.first(where: { $0.name == wanted && wanted.hasSuffix(".gguf") }),
      let group = SplitFile.groups(files).first(where: { $0.files.contains(exact) })
    {
      try checkWhole(group)
      return group.files
    }
    let candidates = candidates
    guard !candidates.isEmpty else {
      throw StoreError(
        .notFound,
        "'\(id)' has no GGUF file from which ':\(wanted)' could choose. Leave it out for the whole "
          + "model.")
    }
    let words = candidates.filter { $0.hasWord(wanted) }
    let matches = words.isEmpty ? candidates.filter { $0.contains(wanted) } : words
    guard let match = matches.first else {
      throw StoreError(
        .notFound, "'\(id)' has no GGUF file '\(wanted)'. It has \(list(candidates)).")
    }
    guard matches.count == 1 else {
      throw StoreError(
        .notFound, "':\(wanted)' means several files of '\(id)': \(list(matches)). Name one.")
    }
    try checkWhole(match)
    return match.files
  }

  private func checkWhole(_ group: SplitFile.Group) throws(StoreError) {
    guard let missing = group.missingPart else { return }
    throw StoreError(
      .notFound,
      "'\(id)' lacks part \(missing) of \(group.count) of '\(PlainText.line(group.label))'.")
  }

  private func list(_ groups: [SplitFile.Group]) -> String {
    let shown = groups.prefix(40).map { PlainText.line($0.label) }
    let rest = groups.count - shown.count
    return shown.joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }

  private static func base(_ name: String) -> Substring { name.split(separator: "/").last ?? "" }
}
