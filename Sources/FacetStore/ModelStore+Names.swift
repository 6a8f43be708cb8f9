// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension ModelStore {
  /// The model that is meant where none is named: the smallest Gemma, which needs no account.
  public static let defaultModel = "gemma3:270m"

  /// What to call the model that `reference` means: its full name, or that of its file.
  public func displayName(of reference: String) -> String {
    if let name = try? ModelName(reference),
      canPull(reference) || (try? find(reference)) ?? nil != nil
    {
      return name.description
    }
    return reference.split(separator: "/").last.map(String.init) ?? reference
  }

  /// Whether a word that could be a model or a prompt means a model.
  ///
  /// It does when it is a file or a directory, a name of the library or the catalogue, or begins with
  /// `hf:`. So does a single word that was meant to be one of these: a path, the name of a model file,
  /// a tag of a family that the catalogue has.
  public func names(_ word: String) -> Bool {
    if word.hasPrefix("hf:") || canPull(word) || !word.isEmpty && DiskFile.exists(word) {
      return true
    }
    guard !word.contains(where: \.isWhitespace), !word.isEmpty else { return false }
    if (try? find(word)) ?? nil != nil { return true }
    let isPath = ["/", "./", "../", "~/"].contains(where: word.hasPrefix)
    let isFile = [".gguf", ".safetensors"].contains(where: word.lowercased().hasSuffix)
    let family = word.lowercased().split(separator: ":", maxSplits: 1).first.map(String.init) ?? ""
    let isTag =
      word.contains(":") && Catalogue.defaultTags[Catalogue.familyAliases[family] ?? family] != nil
    return isPath || isFile || isTag
  }

  /// Whether `reference` is a name that ``pull(_:progress:)`` knows where to find: one of the
  /// catalogue, or a place on the Hugging Face Hub.
  public func canPull(_ reference: String) -> Bool {
    guard let name = try? ModelName(reference) else { return false }
    if case .hub = name.kind { return true }
    return sources.entries.contains { $0.name == name.description } || Catalogue.entry(name) != nil
  }

  /// Whether `reference` is a name that could be pulled and is not in the library; a file or
  /// directory of that name comes first.
  public func isMissing(_ reference: String) throws(StoreError) -> Bool {
    guard canPull(reference), !DiskFile.exists(reference) else { return false }
    return try find(reference) == nil
  }
}
