// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

package import Foundation

/// A place models come from.
package protocol ModelSource: Sendable {
  /// Finds out what the model consists of; downloads nothing of it.
  func plan() async throws -> PullPlan

  /// Brings `files` of the plan into the directory `staging`, checked.
  ///
  /// What already lies there from an earlier try is used.
  func fetch(
    _ files: [PlannedFile], into staging: String, report: @escaping @Sendable (PullEvent) -> Void
  ) async throws -> [FetchedFile]
}

/// What a model consists of, before it is here.
package struct PullPlan: Sendable {
  package var source: String
  package var description: String
  package var licence: Licence
  package var files: [PlannedFile]
}

/// A file of a model, before it is here.
package struct PlannedFile: Sendable, Hashable {
  package var name: String
  /// Nil when the source does not say.
  package var byteCount: Int?
  package var sha256: String?
  /// Bytes that are downloaded for it.
  package var downloadByteCount: Int?
  /// Bytes of disk needed while it is fetched.
  package var diskByteCount: Int?
  /// The name git gives to a small file of the Hub, when that is all the source knows.
  package var gitSHA1: String?
  /// Where it is, for a source that has an address for each.
  package var location: URL?
}

/// A file that has arrived in the staging directory and was checked.
package struct FetchedFile: Sendable, Hashable {
  package var name: String
  package var byteCount: Int
  package var sha256: String
  package var path: String
}
