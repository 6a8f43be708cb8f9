// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// A place on the Hugging Face Hub: `owner/name`, a revision, and which file when the repository
/// holds several models.
package struct HubReference: Sendable, Hashable, CustomStringConvertible {
  package let owner: String
  package let repository: String
  /// A branch, a tag or a commit.
  package let revision: String
  /// A GGUF file of the repository, or a part of its name such as `Q4_0`.
  ///
  /// Nil: the whole model.
  package let selector: String?

  /// A reference made from a row of the catalogue.
  package init(owner: String, repository: String, revision: String = "main", selector: String?) {
    self.owner = owner
    self.repository = repository
    self.revision = revision
    self.selector = selector
  }

  /// Parses `owner/name[@revision][:file]`; `name` is what the user typed, for the error.
  package init(_ text: Substring, name: String) throws(StoreError) {
    let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let place = halves[0].split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    let path = place[0].split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
    let revision = place.count > 1 ? String(place[1]) : "main"
    let selector = halves.count > 1 ? String(halves[1]) : nil
    guard path.count == 2, path.allSatisfy(ModelName.isWord), Self.isPath(revision),
      selector.map(Self.isPath) ?? true
    else {
      throw StoreError(
        .invalidName,
        "'\(name)' does not name a model of the Hugging Face Hub. Write hf:owner/name, "
          + "hf:owner/name@revision or hf:owner/name:file.gguf.")
    }
    self.init(owner: path[0], repository: path[1], revision: revision, selector: selector)
  }

  /// `owner/name`.
  package var repositoryID: String { "\(owner)/\(repository)" }

  package var description: String {
    repositoryID + (revision == "main" ? "" : "@\(revision)") + (selector.map { ":\($0)" } ?? "")
  }

  /// Words joined by single slashes: no empty, `.` or `..` component.
  package static func isPath(_ text: String) -> Bool {
    text.utf8.count <= 240
      && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
        ModelName.isWord(String($0))
      }
  }
}
