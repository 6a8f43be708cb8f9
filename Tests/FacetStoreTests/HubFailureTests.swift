// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetStore
import Foundation
import Testing

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// What a person reads when the Hub, or what stands between, does not do as it should.
@Suite("Failures of the Hub")
struct HubFailureTests {
  let library: Library
  let hub: FakeHub
  let name = "hf:owner/model"

  init() throws {
    library = try Library()
    hub = try FakeHub(HubPullTests.model())
  }

  private var page: String { "\(hub.address)/owner/model" }
  private var tokens: String { "\(hub.address)/settings/tokens" }

  /// Pulls, expects a failure after which nothing is visible, and returns its message.
  private func failure(
    token: String? = nil, adjust: (inout HubSettings) -> Void = { _ in }
  ) async throws -> String {
    let store = try library.store(hub, token: token, adjust: adjust)
    let text = await message { try await store.pull(name) }
    #expect(try store.list() == [])
    #expect(library.files.filter { $0.hasPrefix("blobs/") } == [])
    return text
  }

  // MARK: Access

  @Test("a gated repository says what to do, with and without a token")
  func gated() async throws {
    hub.always(.status(401, ["X-Error-Code": "GatedRepo"]), about: "model.safetensors")
    #expect(
      try await failure()
        == "'owner/model' is given only to those who accept its licence. Open \(page) and accept it "
        + "there, make a token at \(tokens), set HF_TOKEN to the token, and pull again.")
    hub.always(.status(403, ["X-Error-Code": "GatedRepo"]), about: "model.safetensors")
    #expect(
      try await failure(token: "hf_x")
        == "Your token gives no access to 'owner/model'. Open \(page) with the same account, accept "
        + "the licence there, make sure that the token may read gated repositories (\(tokens)), and "
        + "pull again.")
  }

  @Test("an unknown or private repository")
  func unknownRepository() async throws {
    hub.page(.status(401, ["X-Error-Code": "RepoNotFound", "WWW-Authenticate": "Basic realm=x"]))
    #expect(
      try await failure()
        == "\(hub.address) has no model 'owner/model', or it is private. Check the spelling; for a "
        + "private one set HF_TOKEN to a token that may read it.")
    hub.page(.status(404, ["X-Error-Code": "RepoNotFound"]))
    #expect(
      try await failure(token: "hf_x")
        == "\(hub.address) has no model 'owner/model', or it is private. Check the spelling; for a "
        + "private one your token must be allowed to read it.")
    hub.page(.status(401, [:]))
    #expect(try await failure().hasPrefix("\(hub.address) has no model 'owner/model'"))
  }

  @Test("an unknown revision, a token that is not accepted, a refusal, a lost file")
  func refusals() async throws {
    hub.page(.status(404, ["X-Error-Code": "RevisionNotFound"]))
    let store = try library.store(hub)
    #expect(
      await message { try await store.pull("hf:owner/model@v9") }
        == "'owner/model' has no branch, tag or commit 'v9'. See \(page)/tree/main.")
    hub.page(.status(401, ["X-Error-Message": "Invalid credentials in Authorization header"]))
    #expect(
      try await failure(token: "hf_x")
        == "\(hub.address) does not accept your token. Make a new one at \(tokens) and set HF_TOKEN "
        + "to it.")
    hub.page(.status(403, ["X-Error-Message": "Access is \u{1b}[31mdisabled"]))
    #expect(
      try await failure()
        == "\(hub.address) refuses access to 'owner/model' (Access is [31mdisabled). Open \(page) to "
        + "see why.")
    hub.page(.honest)
    hub.always(.status(404, ["X-Error-Code": "EntryNotFound"]), about: "model.safetensors")
    #expect(
      try await failure()
        == "\(hub.address) lists 'model.safetensors' of 'owner/model' but does not have it. Pull "
        + "again later.")
    hub.always(.status(418, [:]), about: "model.safetensors")
    #expect(
      try await failure() == "\(hub.address) answers about 'model.safetensors' with status 418.")
  }

  // MARK: Trouble that time may heal

  @Test("too many requests: the wait that is asked for is named, and a long one is not waited for")
  func tooMany() async throws {
    hub.always(.status(429, ["Retry-After": "3000"]), about: "config.json")
    let start = ContinuousClock.now
    #expect(
      try await failure()
        == "\(hub.address) asks for fewer questions (status 429). Pull again in 3000 seconds; with "
        + "HF_TOKEN set, more is allowed: what has arrived is kept.")
    // Far from 3000 seconds even where other tests keep every core busy.
    #expect(ContinuousClock.now - start < .seconds(600))
    hub.always(.status(429, [:]), about: "config.json")
    #expect(
      try await failure(token: "hf_x")
        == "\(hub.address) asks for fewer questions (status 429). Pull again later: what has arrived "
        + "is kept.")
  }

  @Test("a server in trouble is asked six times, then reported")
  func unavailable() async throws {
    hub.page(.status(503, ["X-Error-Message": "maintenance"]))
    #expect(
      try await failure()
        == "\(hub.address) answers with status 503 (maintenance). Pull again later: what has arrived "
        + "is kept.")
    #expect(hub.requests.count == 6)
  }

  @Test("a connection that brings nothing new is given up after six tries")
  func dropped() async throws {
    hub.always(.drop(after: 0), about: "model.safetensors")
    #expect(
      try await failure()
        == "\(hub.address) could not be asked for 'model.safetensors' of 'owner/model': the "
        + "connection was dropped. Check the network and the proxy settings, and pull again: what "
        + "has arrived is kept.")
    #expect(hub.requests(about: "model.safetensors").count == 6)
  }

  @Test("a file that is another one at every try is given up")
  func everChanging() async throws {
    let other = LoopbackServer.Reply(
      headers: ["ETag": "\"x\""], body: noise(300_000, seed: 8), dropsAfter: 100)
    hub.always(.reply(other), about: "model.safetensors")
    #expect(try await failure().contains("the connection was dropped"))
    #expect(hub.requests(about: "model.safetensors").count <= 8)
  }

  @Test("silence is ended by the timeout")
  func silent() async throws {
    hub.page(.wait(.seconds(30)))
    let text = try await failure {
      $0.patience.timeout = .milliseconds(300)
      $0.patience.attempts = 2
    }
    #expect(
      text
        == "\(hub.address) could not be asked for 'owner/model': it did not answer in time. Check "
        + "the network and the proxy settings, and pull again: what has arrived is kept.")
  }

  @Test("no server at all")
  func nobody() async throws {
    let closed = try LoopbackServer { _ in .text("") }
    closed.stop()
    var sources = StoreSources()
    sources.hub = try Library.settings(closed.address)
    let store = ModelStore(home: library.home, sources: sources)
    #expect(
      await message { try await store.pull(name) }
        == "\(closed.address) could not be asked for 'owner/model': no connection could be made. "
        + "Check the network and the proxy settings, and pull again: what has arrived is kept.")
    sources.hub = try Library.settings("https://127.0.0.1:\(hub.address.split(separator: ":")[2])")
    let plain = ModelStore(home: library.home, sources: sources)
    let text = await message { try await plain.pull(name) }
    // Which of the two the system reports depends on whether the server's answer or its end comes first.
    let reasons = [
      "the secure connection failed (certificates, clock or proxy)", "the connection was dropped",
    ]
    #expect(reasons.contains { text.contains(" could not be asked for 'owner/model': \($0).") })
  }

  @Test("what the system says of the network becomes words of ours, and what helps is known")
  func systemErrors() {
    let cases: [(URLError.Code, HTTPFailure)] = [
      (.cannotFindHost, HTTPFailure(.unreachable, "its name could not be looked up")),
      (.dnsLookupFailed, HTTPFailure(.unreachable, "its name could not be looked up")),
      (.notConnectedToInternet, HTTPFailure(.unreachable, "no connection could be made")),
      (.timedOut, HTTPFailure(.dropped, "it did not answer in time")),
      (.networkConnectionLost, HTTPFailure(.dropped, "the connection was dropped")),
      (.unknown, HTTPFailure(.dropped, "the connection was dropped")),
    ]
    let untrusted = NSError(
      domain: NSURLErrorDomain, code: -1,
      userInfo: [
        NSLocalizedDescriptionKey: "SSL certificate problem: self-signed certificate"
      ])
    #expect(
      HTTPFailure(untrusted)
        == HTTPFailure(
          .refused, "the secure connection failed (certificates, clock or proxy)"))
    for (code, failure) in cases {
      #expect(HTTPFailure(NSError(domain: NSURLErrorDomain, code: code.rawValue)) == failure)
    }
  }

  // MARK: Lies

  @Test("corrupt bytes are thrown away, wherever they are", arguments: [0, 150_000, 299_999])
  func corrupt(_ place: Int) async throws {
    hub.always(.flip(at: place), about: "model.safetensors")
    let expected =
      "'model.safetensors' of 'owner/model' does not have the checksum that the Hub names; what "
      + "arrived was thrown away. Pull again; if it stays so, \(hub.address) or a proxy serves "
      + "another file."
    #expect(try await failure() == expected)
    #expect(library.files.filter { $0.contains("-model.safetensors") } == [])
    hub.behave(about: "model.safetensors")
    #expect(try await library.store(hub).pull(name).files.count == 3)
  }

  @Test("corrupt bytes of a small file are found by git's name for it")
  func corruptSmall() async throws {
    hub.always(.flip(at: 3), about: "config.json")
    #expect(try await failure().hasPrefix("'config.json' of 'owner/model' does not have the check"))
    #expect(library.files.filter { $0.contains("-config.json") } == [])
  }

  @Test("a length that is not the announced one", arguments: [-1000, 1000])
  func wrongLength(_ more: Int) async throws {
    hub.always(.lieAboutLength(more), about: "model.safetensors")
    #expect(
      try await failure()
        == "'model.safetensors' of 'owner/model' should have 300000 bytes, but the server announces "
        + "\(300_000 + more). Pull again; if it stays so, \(hub.address) or a proxy serves another "
        + "file.")
  }

  @Test("a body without end is cut off at the file's length")
  func endless() async throws {
    hub.always(.reply(.endless(noise(65_536, seed: 7))), about: "model.safetensors")
    #expect(
      try await failure()
        == "'model.safetensors' of 'owner/model' should have 300000 bytes, but the server sends more. "
        + "Pull again; if it stays so, \(hub.address) or a proxy serves another file.")
    #expect(library.partialByteCount <= 370_007)
  }

  @Test("an endless answer about the repository is cut off")
  func endlessPage() async throws {
    hub.page(.reply(.endless(noise(65_536, seed: 7))))
    #expect(
      try await failure()
        == "\(hub.address) could not be asked for 'owner/model': it answered with more than 16777216 "
        + "bytes. Check the network and the proxy settings, and pull again: what has arrived is kept."
    )
  }

  @Test("a huge header does not hurt")
  func hugeHeader() async throws {
    let reply = LoopbackServer.Reply(
      headers: ["X-Huge": String(repeating: "x", count: 8 << 20)], body: [UInt8]("{}".utf8))
    hub.page(.reply(reply))
    let text = try await failure { $0.patience.attempts = 2 }
    #expect(text.hasPrefix("\(hub.address) "))
  }

  @Test("a part that was not asked for is refused")
  func wrongRange() async throws {
    hub.behave(.drop(after: 1000), .shiftRange(5), about: "model.safetensors")
    #expect(
      try await failure()
        == "The server sends another part of 'model.safetensors' of 'owner/model' than was asked for. "
        + "Pull again; if it stays so, \(hub.address) or a proxy is at fault.")
  }

  @Test(
    "an answer that is not the Hub's",
    arguments: [
      "", "<html>sign in</html>", "{", "[]", "null", #"{"siblings":[]}"#,
      #"{"sha":"../../x","siblings":[]}"#, #"{"sha":"abc","siblings":{}}"#,
      #"{"sha":"abc","siblings":[{"rfilename":7}]}"#, String(repeating: "[", count: 100_000),
    ])
  func noHub(_ body: String) async throws {
    hub.page(.reply(.text(body)))
    #expect(
      try await failure()
        == "\(hub.address) did not answer about 'owner/model' as the Hugging Face Hub does. If "
        + "HF_ENDPOINT is set, check it; otherwise a proxy may be in between.")
  }

  @Test("redirects in circles, and to what is no web address")
  func circles() async throws {
    hub.page(.redirect("/api/models/owner/model/revision/main?blobs=true"))
    #expect(try await failure().contains("'owner/model': it redirects in circles. Check"))
    hub.page(.status(302, [:]))
    #expect(try await failure().contains("'owner/model': it redirects to no address. Check"))
    hub.page(.redirect("ftp://127.0.0.1/x?secret=1"))
    #expect(
      try await failure().contains(
        "it redirects to an address that is not safe ('ftp://127.0.0.1/x'). Check"))
  }

  @Test("a model larger than the disk is refused before anything of it is fetched")
  func diskFull() async throws {
    hub.page(
      .reply(
        .text(
          #"{"sha":"abc","siblings":[{"rfilename":"config.json","size":2},"#
            + #"{"rfilename":"model.safetensors","size":17592186044416}]}"#)))
    let text = try await failure()
    #expect(
      text.hasPrefix("This model needs 17592203 MB of disk space in '\(library.home)', where "))
    #expect(
      text.hasSuffix(
        " MB are free. Free some, or set FACET_HOME to a directory on another disk."))
    #expect(hub.requests.count == 1)
  }

  @Test("sizes that would overflow are taken as not stated")
  func overflow() async throws {
    for size in ["9223372036854775807", "-1", "17592186044417"] {
      hub.page(
        .reply(
          .text(
            #"{"sha":"abc","siblings":[{"rfilename":"a.gguf","size":\#(size)}]}"#)))
      #expect(
        try await failure()
          == "The Hub does not say how large 'a.gguf' of 'hf:owner/model' is. Pull again.")
    }
  }
}
