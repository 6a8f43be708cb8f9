// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTensor

extension TrainingRun {
  /// The events of a whole run on `subject`, as they happen; the last is ``TrainingEvent/finished(_:)``.
  ///
  /// ```swift
  /// for try await event in TrainingRun.events(configuration, subject: subject, backend: backend) {
  ///   if case .step(let metrics) = event { print(metrics.step, metrics.loss) }
  /// }
  /// ```
  ///
  /// The run has a thread of its own. When the stream is no longer read, or its task is cancelled, the run
  /// writes a checkpoint after the step and ends; `resuming` goes on from it.
  public static func events(
    _ configuration: TrainingConfiguration, subject: Subject, backend: CPUBackend,
    resuming: Bool = false
  ) -> AsyncThrowingStream<TrainingEvent, any Error> {
    AsyncThrowingStream { stream in
      let task = Task(executorPreference: OwnThread()) {
        do {
          let run = try TrainingRun(
            configuration, subject: subject, backend: backend, resuming: resuming)
          _ = try run.run { stream.yield($0) }
          stream.finish()
        } catch {
          stream.finish(throwing: error)
        }
      }
      stream.onTermination = { _ in task.cancel() }
    }
  }
}
