// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Puts the requests of a task's documents to a server, several documents at once.
struct ServerRunner: RequestAnswering {
  /// The answers to one document, and which it was.
  private struct Answered: Sendable {
    var place: Int
    var responses: [DocumentScore.Response]
  }

  let server: CompletionServer
  let task: TaskDefinition

  /// Answers are kept once so many documents are done.
  var batchCount: Int { server.concurrency * 4 }

  func answer(_ documents: [PendingDocument]) async throws -> [[DocumentScore.Response]] {
    var result = [[DocumentScore.Response]](repeating: [], count: documents.count)
    try await withThrowingTaskGroup(of: Answered.self) { group in
      var next = 0
      func start() {
        guard next < documents.count else { return }
        let (place, requests) = (next, documents[next].requests)
        next += 1
        group.addTask { Answered(place: place, responses: try await answer(requests)) }
      }
      for _ in 0..<max(1, server.concurrency) { start() }
      while let answered = try await group.next() {
        result[answered.place] = answered.responses
        start()
      }
    }
    return result
  }

  private func answer(_ requests: [DocumentScore.Request]) async throws -> [DocumentScore.Response]
  {
    guard task.kind == .generation else { return try await server.likelihoods(requests) }
    var responses: [DocumentScore.Response] = []
    for request in requests {
      for draw in 0..<task.generation.repeats {
        responses.append(
          .text(try await server.text(after: request.context, task.generation, draw: draw)))
      }
    }
    return responses
  }
}
