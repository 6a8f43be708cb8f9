// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetStore
import Foundation
import Testing

@Suite("Settings of the Hub")
struct HubSettingsTests {
  let library: Library

  init() throws { library = try Library() }

  @Test("without any variable: the Hub itself, and no token")
  func defaults() throws {
    let settings = try HubSettings.read(["HOME": library.path("nobody")])
    #expect(settings.endpoint == "https://huggingface.co")
    #expect(settings.token == nil)
  }

  @Test("a token comes from HF_TOKEN, else from the file that the Hub's tools keep")
  func tokens() throws {
    let file = try library.write("token", [UInt8](" hf_file\n".utf8))
    let folder = library.path("cache/huggingface")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data("hf_cache".utf8).write(to: URL(fileURLWithPath: folder + "/token"))
    func token(_ environment: [String: String]) throws -> String? {
      try HubSettings.read(environment.merging(["HOME": library.path("nobody")]) { a, _ in a })
        .token
    }
    #expect(try token(["HF_TOKEN": "hf_a", "HF_TOKEN_PATH": file]) == "hf_a")
    #expect(try token(["HF_TOKEN": " ", "HF_TOKEN_PATH": file]) == "hf_file")
    #expect(try token(["HF_HOME": folder]) == "hf_cache")
    #expect(try token(["XDG_CACHE_HOME": library.path("cache")]) == "hf_cache")
    #expect(try token(["HF_TOKEN_PATH": library.path("absent")]) == nil)
  }

  @Test("a token that would break the request is refused, and not shown")
  func badToken() async {
    #expect(
      await message { _ = try HubSettings.read(["HF_TOKEN": "hf_a\r\nX-Other: 1"]) }
        == "HF_TOKEN holds no token of the Hugging Face Hub: tokens are letters, digits and '_', "
        + "beginning with hf_.")
  }

  @Test("an endpoint loses its slash; one that is no address is refused")
  func endpoints() async throws {
    #expect(
      try HubSettings.read(["HF_ENDPOINT": "https://mirror.example/hub/", "HF_TOKEN": "x"]).endpoint
        == "https://mirror.example/hub")
    for text in ["mirror", "ftp://x", "https://", "https://a:b@x", "https://x/?q=1"] {
      #expect(
        await message { _ = try HubSettings.read(["HF_ENDPOINT": text, "HF_TOKEN": "x"]) }
          .contains(
            "which is not the address of a server. Write it like https://huggingface.co, or"))
    }
  }

  @Test("a token is never sent in the clear to another machine")
  func cleartext() throws {
    #expect(try HubSettings(endpoint: "http://mirror.example", token: "t").sendableToken == nil)
    #expect(try HubSettings(endpoint: "http://127.0.0.1:9", token: "t").sendableToken == "t")
    #expect(try HubSettings(endpoint: "https://mirror.example", token: "t").sendableToken == "t")
  }

  @Test("redirects: the token stays on its server, and encryption is not given up")
  func redirects() async throws {
    func url(_ text: String) throws -> URL { try #require(URL(string: text)) }
    let request = HTTPRequest(try url("https://a.example/x"), token: "t")
    #expect(try request.redirected(to: url("https://A.example/y")).token == "t")
    for other in ["https://b.example/x", "https://a.example:444/x", "https://a.example.b.example/"]
    {
      let next = try request.redirected(to: url(other))
      #expect(next.token == nil)
      #expect(try next.redirected(to: url("https://a.example/x")).token == nil)
    }
    #expect(
      await thrown { _ = try request.redirected(to: url("http://a.example/x?sig=1")) }
        as? HTTPFailure
        == HTTPFailure(
          .refused, "it redirects to an address that is not safe ('http://a.example/x')"))
    #expect(throws: HTTPFailure.self) { try request.redirected(to: url("file:///etc/passwd")) }
  }

  @Test("waits double up to a bound, and never overflow")
  func delays() {
    let patience = Patience()
    #expect(patience.delay(after: 1) == .milliseconds(500))
    #expect(patience.delay(after: 4) == .seconds(4))
    #expect(patience.delay(after: 1_000_000) == .seconds(30))
  }

  @Test("text from elsewhere loses what could move a cursor, and most of its length")
  func plainText() {
    #expect(PlainText.line("a\u{1b}[2J\nb\u{202e}c  d") == "a [2J b c d")
    #expect(PlainText.line(String(repeating: "x", count: 5000)).count == 200)
  }
}
