// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// Asks the Hub about one repository, with patience, and says in sentences what it answers.
package struct HubClient: Sendable {
  package let settings: HubSettings
  package let reference: HubReference
  /// What the repository is.
  let kind: Kind

  /// What the Hub keeps.
  enum Kind: String, Sendable { case model, dataset }

  package init(_ settings: HubSettings, _ reference: HubReference) {
    self.init(settings, reference, .model)
  }

  init(_ settings: HubSettings, _ reference: HubReference, _ kind: Kind) {
    self.settings = settings
    self.reference = reference
    self.kind = kind
  }

  var http: HTTPClient { HTTPClient(timeout: settings.patience.timeout) }

  /// The page for people.
  package var page: String {
    "\(settings.endpoint)/\(kind == .model ? "" : "datasets/")\(reference.repositoryID)"
  }

  /// Largest answer of the API that is read.
  private static let apiLimit = 16 << 20

  /// What the Hub says about the revision.
  package func describe() async throws -> HubPage {
    let revision = reference.revision.split(separator: "/").joined(separator: "%2F")
    let url = try address(
      "\(settings.endpoint)/api/\(kind.rawValue)s/\(reference.repositoryID)/revision/\(revision)?blobs=true"
    )
    let data = try await patiently(about: nil) {
      let request = HTTPRequest(url, token: settings.sendableToken)
      return try await http.body(request, limit: Self.apiLimit) { head in
        guard head.status == 200 else { throw HubRefusal(head) }
      }
    }
    guard let page = HubPage(data) else {
      throw StoreError(
        .unavailable,
        "\(settings.endpoint) did not answer about '\(reference.repositoryID)' as the Hugging Face "
          + "Hub does. If HF_ENDPOINT is set, check it; otherwise a proxy may be in between.")
    }
    return page
  }

  /// Where the file of a commit lies.
  ///
  /// `name` was checked: it holds nothing that an address would need to escape.
  func location(of name: String, commit: String) throws -> URL {
    try address("\(page)/resolve/\(commit)/\(name)")
  }

  func address(_ text: String) throws -> URL {
    guard let url = URL(string: text) else {
      throw StoreError(.unavailable, "'\(PlainText.line(text))' is not an address.")
    }
    return url
  }

  /// Runs `body` again after what time may heal, each time a little later.
  ///
  /// `file` is what it is about, nil for the repository; `progress` counts what is here, and tries
  /// after which there is more than ever before do not use up patience.
  func patiently<Result: Sendable>(
    about file: String?, progress: @Sendable () -> Int = { 0 },
    _ body: @Sendable () async throws -> Result
  ) async throws -> Result {
    var failures = 0
    var best = progress()
    while true {
      let wait: Duration
      do {
        return try await body()
      } catch let failure as HTTPFailure where failure.kind != .refused {
        let reached = progress()
        failures = reached > best ? 1 : failures + 1
        best = max(best, reached)
        // A name that cannot be looked up is mostly a machine without a network.
        let allowed = failure.kind == .unreachable ? min(3, patience.attempts) : patience.attempts
        if failures >= allowed { throw unreachable(failure, file) }
        wait = patience.delay(after: failures)
      } catch let refusal as HubRefusal where refusal.isTemporary {
        failures += 1
        wait = max(refusal.retryAfter ?? .zero, patience.delay(after: failures))
        if failures >= patience.attempts || wait > patience.longestRetryAfter {
          throw refused(refusal, file)
        }
      } catch let failure as HTTPFailure {
        throw unreachable(failure, file)
      } catch let refusal as HubRefusal {
        throw refused(refusal, file)
      }
      try await Task.sleep(for: wait)
    }
  }

  private var patience: Patience { settings.patience }
}

/// An answer that is no success.
package struct HubRefusal: Error, Sendable {
  package let status: Int
  /// The Hub's word for it, `GatedRepo`.
  package let code: String
  package let message: String
  package let retryAfter: Duration?

  package init(_ head: HTTPHead) {
    status = head.status
    code = PlainText.line(head["X-Error-Code"] ?? "")
    message = PlainText.line(head["X-Error-Message"] ?? "")
    retryAfter = head.retryAfter
  }

  /// Whether time may heal it.
  var isTemporary: Bool { [408, 429].contains(status) || (500...599).contains(status) }
}
