// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// What answers the requests of a task's documents: a model here, or a server.
protocol RequestAnswering {
  /// Documents that are best given at once.
  var batchCount: Int { get }

  /// The responses to at most ``batchCount`` documents, in their order.
  func answer(_ documents: [PendingDocument]) async throws -> [[DocumentScore.Response]]
}
