// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetJSON
import Foundation

/// Sets of data on the Hugging Face Hub, row by row as its viewer has them.
///
/// The Hub keeps most sets as Parquet; its rows interface
/// (https://huggingface.co/docs/dataset-viewer/rows) gives any of them as JSON, a hundred rows at a time.
package struct DatasetClient: Sendable {
  /// A set, and which of its configurations.
  package struct Reference: Sendable, Hashable {
    package var repository: HubReference
    package var configuration: String

    package init(_ repository: HubReference, configuration: String) {
      self.repository = repository
      self.configuration = configuration
    }
  }

  /// Rows that came together.
  struct Page: Sendable {
    /// Each as a line of JSON.
    var lines: [String]
    /// Rows of the whole split.
    var total: Int
  }

  let hub: HubClient
  let reference: Reference
  /// The server of rows, without a slash at its end.
  let rowsEndpoint: String
  /// Rows asked for at once; the interface gives a hundred at most.
  static let pageCount = 100
  /// Largest answer that is read.
  private static let limit = 256 << 20

  /// The interface's address where nobody names another.
  package static let rowsEndpoint = "https://datasets-server.huggingface.co"

  package init(
    _ reference: Reference, settings: HubSettings, rowsEndpoint: String = rowsEndpoint
  ) {
    self.reference = reference
    self.rowsEndpoint = rowsEndpoint
    hub = HubClient(settings, reference.repository, .dataset)
  }

  /// The set's commit and licence.
  package func describe() async throws -> HubPage { try await hub.describe() }

  /// Where the set is shown to people.
  package var page: String { hub.page }

  /// Rows of `split` from `offset` on.
  func rows(_ split: String, from offset: Int) async throws -> Page {
    var parts = URLComponents()
    parts.queryItems = [
      URLQueryItem(name: "dataset", value: reference.repository.repositoryID),
      URLQueryItem(name: "config", value: reference.configuration),
      URLQueryItem(name: "split", value: split),
      URLQueryItem(name: "offset", value: "\(offset)"),
      URLQueryItem(name: "length", value: "\(Self.pageCount)"),
    ]
    let url = try hub.address("\(rowsEndpoint)/rows?\(parts.percentEncodedQuery ?? "")")
    let token = mayHaveToken(url) ? hub.settings.sendableToken : nil
    let data = try await hub.patiently(about: split) {
      try await hub.http.body(HTTPRequest(url, token: token), limit: Self.limit) { head in
        guard head.status == 200 else { throw HubRefusal(head) }
      }
    }
    return try read(data, split, offset)
  }

  /// Whether the Hub's token may go to `url`: to the Hub's own servers, encrypted, and to the one that the user
  /// named as the Hub.
  private func mayHaveToken(_ url: URL) -> Bool {
    let isHub = url.scheme == "https" && url.host?.hasSuffix(".huggingface.co") == true
    return isHub
      || URL(string: hub.settings.endpoint).map { HTTPRequest($0).isSameServer(as: url) } == true
  }

  private func read(_ data: Data, _ split: String, _ offset: Int) throws(StoreError) -> Page {
    let what = "'\(split)' of '\(reference.repository.repositoryID)'"
    guard let json = try? JSONReader.read([UInt8](data), path: "rows"),
      let rows = json["rows"]?.array, let total = json["num_rows_total"]?.integer, total >= 0
    else {
      throw StoreError(
        .unavailable,
        "\(rowsEndpoint) did not answer about \(what) as the Hub's rows interface does.")
    }
    if json["partial"]?.bool == true {
      throw StoreError(
        .unavailable,
        "The Hub's rows interface has only a part of \(what). Get the set from \(page) and put it into "
          + "the folder as JSON lines or CSV.")
    }
    var lines: [String] = []
    for (place, row) in rows.enumerated() {
      guard let value = row["row"], value.object != nil, row["row_idx"]?.integer == offset + place
      else {
        throw StoreError(
          .corrupt, "Row \(offset + place) of \(what) is not what was asked for. Fetch again later."
        )
      }
      guard row["truncated_cells"]?.array?.isEmpty ?? true else {
        throw StoreError(
          .unavailable,
          "Row \(offset + place) of \(what) is longer than the Hub's rows interface gives. Get the set from "
            + "\(page) and put it into the folder as JSON lines or CSV.")
      }
      lines.append(value.text)
    }
    return Page(lines: lines, total: total)
  }
}
