// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetGeneration

extension LanguageModelSession {
  /// An answer.
  public struct Response<Content: Sendable>: Sendable {
    /// The answer, as the type that was asked for.
    public var content: Content
    /// The answer as the model wrote it.
    public var text: String
    /// What the session's transcript got by it: the prompt, calls of tools with their answers, the answer.
    public var entries: [Transcript.Entry]
    /// Of the last passage of the answer: why it ended, how many tokens, how long.
    public var summary: GenerationSummary
  }

  /// An answer as it comes: snapshots, each of all there is until then.
  ///
  /// Leaving the loop cancels the answer, and the session is as it was before the request.
  public struct ResponseStream<Content: Sendable, Partial: Sendable>: AsyncSequence, Sendable {
    /// The answer until now.
    public struct Snapshot: Sendable {
      /// What there is of the answer.
      public var content: Partial
      /// The answer until now as the model wrote it; it starts anew after calls of tools.
      public var text: String
      /// What came since the last snapshot.
      public var delta: String
    }

    let steps: AsyncThrowingStream<ResponseStep, any Error>
    let partial: @Sendable (String) -> Partial
    let content: @Sendable (String) throws -> Content

    /// The snapshots from here on.
    public func makeAsyncIterator() -> Iterator {
      Iterator(steps: steps.makeAsyncIterator(), partial: partial)
    }

    /// Goes through the snapshots.
    public struct Iterator: AsyncIteratorProtocol {
      var steps: AsyncThrowingStream<ResponseStep, any Error>.Iterator
      let partial: @Sendable (String) -> Partial

      /// The next snapshot; nil when the answer is complete.
      public mutating func next() async throws -> Snapshot? {
        while let step = try await steps.next() {
          guard case .text(let text, let delta) = step else { continue }
          return Snapshot(content: partial(text), text: text, delta: delta)
        }
        try Task.checkCancellation()
        return nil
      }
    }

    /// Waits for the whole answer.
    public func collect() async throws -> Response<Content> {
      for try await step in steps {
        guard case .done(let response) = step else { continue }
        return Response(
          content: try content(response.text), text: response.text, entries: response.entries,
          summary: response.summary)
      }
      throw CancellationError()
    }

    /// What is new, piece by piece.
    public var deltas: AsyncThrowingStream<String, any Error> {
      AsyncThrowingStream { stream in
        let task = Task {
          do {
            for try await step in steps {
              if case .text(_, let delta) = step, !delta.isEmpty { stream.yield(delta) }
            }
            stream.finish()
          } catch { stream.finish(throwing: error) }
        }
        stream.onTermination = { _ in task.cancel() }
      }
    }
  }
}

/// A step of an answer on its way.
enum ResponseStep: Sendable {
  /// The text until now, and what is new of it.
  case text(String, delta: String)
  case done(LanguageModelSession.Response<String>)
}
