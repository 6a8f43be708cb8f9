// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// What the Hub says, as sentences.
extension HubClient {
  private var id: String { reference.repositoryID }
  /// What the user does again.
  private var verb: String { kind == .model ? "pull" : "fetch" }
  private var host: String { settings.endpoint }
  private var tokens: String { "\(settings.endpoint)/settings/tokens" }

  func unreachable(_ failure: HTTPFailure, _ file: String?) -> StoreError {
    let what = file.map { "'\($0)' of '\(id)'" } ?? "'\(id)'"
    return StoreError(
      .unavailable,
      "\(host) could not be asked for \(what): \(failure.reason). Check the network and the proxy "
        + "settings, and \(verb) again: what has arrived is kept.")
  }

  func refused(_ refusal: HubRefusal, _ file: String?) -> StoreError {
    switch (refusal.status, refusal.code) {
    case (401, "GatedRepo"), (403, "GatedRepo"): gated()
    case (_, "RevisionNotFound"): noRevision()
    case (_, "RepoNotFound"),
      (401, "") where settings.token == nil:
      noRepository()
    case (404, "RepoNotFound"): noRepository()
    case (401, _): badToken()
    case (403, _): forbidden(refusal)
    case (404, _): missing(file)
    case (429, _): tooMany(refusal)
    case (500...599, _):
      StoreError(
        .unavailable,
        "\(host) answers with status \(refusal.status)\(said(refusal)). \(verb.capitalized) again later: what has "
          + "arrived is kept.")
    default:
      StoreError(
        .unavailable,
        "\(host) answers about '\(file ?? id)' with status \(refusal.status)\(said(refusal)).")
    }
  }

  func damaged(_ file: String) -> StoreError {
    StoreError(
      .corrupt,
      "'\(file)' of '\(id)' does not have the checksum that the Hub names; what arrived was thrown "
        + "away. \(verb.capitalized) again; if it stays so, \(host) or a proxy serves another file."
    )
  }

  func wrongLength(_ file: String, expected: Int, announced: Int?) -> StoreError {
    let sent = announced.map { "announces \($0)" } ?? "sends more"
    return StoreError(
      .corrupt,
      "'\(file)' of '\(id)' should have \(expected) bytes, but the server \(sent). \(verb.capitalized) again; if it "
        + "stays so, \(host) or a proxy serves another file.")
  }

  func wrongRange(_ file: String) -> StoreError {
    StoreError(
      .corrupt,
      "The server sends another part of '\(file)' of '\(id)' than was asked for. \(verb.capitalized) again; if it "
        + "stays so, \(host) or a proxy is at fault.")
  }

  private func said(_ refusal: HubRefusal) -> String {
    refusal.message.isEmpty ? "" : " (\(refusal.message))"
  }

  private func gated() -> StoreError {
    if settings.token == nil {
      return StoreError(
        .accessDenied,
        "'\(id)' is given only to those who accept its licence. Open \(page) and accept it there, "
          + "make a token at \(tokens), set HF_TOKEN to the token, and \(verb) again.")
    }
    return StoreError(
      .accessDenied,
      "Your token gives no access to '\(id)'. Open \(page) with the same account, accept the licence "
        + "there, make sure that the token may read gated repositories (\(tokens)), and \(verb) again."
    )
  }

  private func noRepository() -> StoreError {
    let advice =
      settings.token == nil
      ? "for a private one set HF_TOKEN to a token that may read it."
      : "for a private one your token must be allowed to read it."
    return StoreError(
      .notFound,
      "\(host) has no \(kind.rawValue) '\(id)', or it is private. Check the spelling; \(advice)")
  }

  private func noRevision() -> StoreError {
    StoreError(
      .notFound,
      "'\(id)' has no branch, tag or commit '\(reference.revision)'. See \(page)/tree/main.")
  }

  private func badToken() -> StoreError {
    if settings.sendableToken == nil {
      return StoreError(
        .accessDenied,
        "\(host) asks for a token, which is not sent over a connection that is not encrypted. Set "
          + "HF_ENDPOINT to an address that begins with https.")
    }
    return StoreError(
      .accessDenied,
      "\(host) does not accept your token. Make a new one at \(tokens) and set HF_TOKEN to it.")
  }

  private func forbidden(_ refusal: HubRefusal) -> StoreError {
    StoreError(
      .accessDenied,
      "\(host) refuses access to '\(id)'\(said(refusal)). Open \(page) to see why.")
  }

  private func missing(_ file: String?) -> StoreError {
    guard let file else { return noRepository() }
    return StoreError(
      .notFound,
      "\(host) lists '\(file)' of '\(id)' but does not have it. \(verb.capitalized) again later.")
  }

  private func tooMany(_ refusal: HubRefusal) -> StoreError {
    let wait = refusal.retryAfter.map { "in \($0.components.seconds) seconds" } ?? "later"
    let advice = settings.token == nil ? "; with HF_TOKEN set, more is allowed" : ""
    return StoreError(
      .unavailable,
      "\(host) asks for fewer questions (status 429). \(verb.capitalized) again \(wait)\(advice): what has arrived "
        + "is kept.")
  }
}
