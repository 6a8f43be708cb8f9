// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension ModelStore {
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
