// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Foundation

/// Where the Hub is and how to ask it.
package struct HubSettings: Sendable {
  /// The server, without a slash at its end: `https://huggingface.co`, or what HF_ENDPOINT says.
  package var endpoint: String
  package var token: String?
  package var patience = Patience()
  /// Files fetched at once.
  package var parallelFiles = 4
  /// Bytes asked for in one go: what may lie in memory when the disk is slower than the network.
  package var segmentByteCount = 128 << 20

  package init(endpoint: String = "https://huggingface.co", token: String? = nil)
    throws(StoreError)
  {
    var endpoint = endpoint
    while endpoint.hasSuffix("/") { endpoint.removeLast() }
    guard let url = URL(string: endpoint), url.host?.isEmpty == false, url.query == nil,
      url.fragment == nil, url.user == nil,
      ["https", "http"].contains(url.scheme?.lowercased())
    else {
      throw StoreError(
        .unavailable,
        "HF_ENDPOINT is '\(PlainText.line(endpoint))', which is not the address of a server. Write "
          + "it like https://huggingface.co, or unset it.")
    }
    self.endpoint = endpoint
    self.token = token
  }

  /// What the variables that the Hub's own tools know say: HF_ENDPOINT; HF_TOKEN, or the file that
  /// those tools keep a token in (HF_TOKEN_PATH, HF_HOME/token, ~/.cache/huggingface/token).
  package static func read(_ environment: [String: String]) throws(StoreError) -> HubSettings {
    try HubSettings(
      endpoint: nonEmpty(environment["HF_ENDPOINT"]) ?? "https://huggingface.co",
      token: token(environment))
  }

  private static func token(_ environment: [String: String]) throws(StoreError) -> String? {
    var (text, origin) = (nonEmpty(environment["HF_TOKEN"]), "HF_TOKEN")
    if text == nil {
      origin = "'\(tokenPath(environment))'"
      let data = (try? DiskFile.read(tokenPath(environment))) ?? nil
      text = nonEmpty(data.map { String(decoding: $0.prefix(4096), as: UTF8.self) })
    }
    guard let text else { return nil }
    guard text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
      throw StoreError(
        .accessDenied,
        "\(origin) holds no token of the Hugging Face Hub: tokens are letters, digits and '_', "
          + "beginning with hf_.")
    }
    return text
  }

  private static func tokenPath(_ environment: [String: String]) -> String {
    if let path = nonEmpty(environment["HF_TOKEN_PATH"]) { return path }
    if let home = nonEmpty(environment["HF_HOME"]) { return home + "/token" }
    let user = nonEmpty(environment["HOME"]) ?? NSHomeDirectory()
    let caches = nonEmpty(environment["XDG_CACHE_HOME"]) ?? user + "/.cache"
    return caches + "/huggingface/token"
  }

  private static func nonEmpty(_ text: String?) -> String? {
    guard let text else { return nil }
    let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
    return trimmed.isEmpty ? nil : trimmed
  }
}

extension HubSettings {
  /// The token as it may be sent: never in the clear, except within this machine.
  package var sendableToken: String? {
    guard let url = URL(string: endpoint), let host = url.host?.lowercased() else { return nil }
    let isLoopback = ["localhost", "127.0.0.1", "::1", "[::1]"].contains(host)
    return url.scheme?.lowercased() == "https" || isLoopback ? token : nil
  }
}

/// How often and how long to try.
package struct Patience: Sendable, Hashable {
  /// Tries of one answer that bring nothing new.
  package var attempts = 6
  /// The wait after the first failure; it doubles.
  package var firstDelay = Duration.milliseconds(500)
  package var longestDelay = Duration.seconds(30)
  /// A server that asks to wait longer than this is not waited for.
  package var longestRetryAfter = Duration.seconds(120)
  /// How long a server may be silent.
  package var timeout = Duration.seconds(60)

  package init() {}

  /// The wait after failure number `failures`, counted from 1.
  package func delay(after failures: Int) -> Duration {
    min(firstDelay * (1 << min(max(failures - 1, 0), 20)), longestDelay)
  }
}
