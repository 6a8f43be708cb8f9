// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import Foundation

/// A model of the Hugging Face Hub.
package struct HubSource: ModelSource {
  private let hub: HubClient
  private let entry: CatalogueEntry?

  /// A repository; `entry` is its row of the catalogue, which knows the licence better than the
  /// model's card.
  package init(
    _ reference: HubReference, settings: HubSettings, entry: CatalogueEntry? = nil
  ) {
    hub = HubClient(settings, reference)
    self.entry = entry
  }

  package func plan() async throws -> PullPlan {
    let page = try await hub.describe()
    let chosen = try HubChoice(hub.reference, page.files).chosen()
    return PullPlan(
      source: "hf:\(hub.reference.repositoryID)@\(page.commit)",
      description: entry?.description ?? "",
      licence: entry?.licence ?? page.terms(page: hub.page),
      files: try chosen.map { file in
        PlannedFile(
          name: file.name, byteCount: file.byteCount, sha256: file.sha256,
          downloadByteCount: file.byteCount, gitSHA1: file.gitSHA1,
          location: try hub.location(of: file.name, commit: page.commit))
      })
  }

  package func fetch(
    _ files: [PlannedFile], into staging: String, report: @escaping @Sendable (PullEvent) -> Void
  ) async throws -> [FetchedFile] {
    let meter = PullMeter(
      .downloading, total: files.reduce(0) { $0 + ($1.byteCount ?? 0) }, report: report)
    let downloads = files.compactMap { download($0, staging, meter) }
    try removeLeftovers(staging, keeping: downloads.map(\.path))
    var fetched: [FetchedFile] = []
    try await withThrowingTaskGroup(of: FetchedFile.self) { group in
      for (index, download) in downloads.enumerated() {
        if index >= hub.settings.parallelFiles, let file = try await group.next() {
          fetched.append(file)
        }
        group.addTask { try await download.run() }
      }
      for try await file in group { fetched.append(file) }
    }
    return fetched.sorted { $0.name < $1.name }
  }

  private func download(
    _ file: PlannedFile, _ staging: String, _ meter: PullMeter
  ) -> HubDownload? {
    guard let url = file.location, let expected = file.byteCount else { return nil }
    // Bytes of another commit's file are never taken for this one's.
    let content = file.sha256 ?? file.gitSHA1 ?? SHA256.hex([UInt8](url.absoluteString.utf8))
    let path = "\(staging)/\(content.prefix(16))-\(ModelName.escaped(file.name))"
    return HubDownload(
      hub: hub,
      file: HubFile(
        name: file.name, byteCount: expected, sha256: file.sha256, gitSHA1: file.gitSHA1),
      url: url, expected: expected, path: path, meter: meter)
  }

  /// What an interrupted pull left is kept as far as it is of the same files.
  private func removeLeftovers(_ staging: String, keeping paths: [String]) throws(StoreError) {
    let kept = Set(paths + paths.map { $0 + ".tag" })
    for name in try DiskFile.names(in: staging) where !kept.contains("\(staging)/\(name)") {
      try DiskFile.remove("\(staging)/\(name)")
    }
  }
}
