// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// The files of data that a path stands for: itself, or those of a directory by the names that mlx-lm
/// uses.
public struct DataFiles: Sendable, Hashable {
  /// What is trained on.
  public var training: [String]
  /// What is measured with while training.
  public var validation: [String]
  /// What is measured with in the end.
  public var test: [String]

  /// Looks at a path.
  public init(_ path: String) throws(TrainingError) {
    var isFolder = false
    if let kind = try? FileManager.default.attributesOfItem(atPath: path)[.type] {
      isFolder = kind as? FileAttributeType == .typeDirectory
    }
    // A link to a directory is one, too.
    if !isFolder, (try? FileManager.default.contentsOfDirectory(atPath: path)) != nil {
      isFolder = true
    }
    guard isFolder else {
      training = [path]
      validation = []
      test = []
      return
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    func find(_ stems: String...) -> [String] {
      for stem in stems {
        for suffix in Self.suffixes where names.contains(stem + suffix) {
          return [path + (path.hasSuffix("/") ? "" : "/") + stem + suffix]
        }
      }
      return []
    }
    training = find("train")
    validation = find("valid", "validation", "dev")
    test = find("test")
    guard !training.isEmpty else {
      throw TrainingError(
        .unreadable,
        "The directory '\(path)' has no train.jsonl. Put the rows into a file of that name, with "
          + "valid.jsonl and test.jsonl beside it as you like, or name a file.")
    }
  }

  private static let suffixes =
    [".jsonl", ".json", ".csv", ".tsv", ".ndjson"].flatMap { [$0, $0 + ".gz"] }
}
