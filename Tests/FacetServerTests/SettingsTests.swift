// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetServer
import Foundation
import Testing

/// Places, files, the environment: what sets a server up.
@Suite("Settings")
struct SettingsTests {
  @Test(
    "a place is written in the usual ways",
    arguments: [
      ("127.0.0.1:8080", "127.0.0.1", 8080), ("localhost", "localhost", 11434),
      (":9", "0.0.0.0", 9), ("[::1]:7", "::1", 7), ("[::]", "::", 11434),
      ("http://example.org:80/", "example.org", 80),
    ])
  func listeners(_ text: String, _ host: String, _ port: Int) throws {
    #expect(try Listener(text) == Listener(host: host, port: port))
  }

  @Test(
    "what is no place is refused", arguments: ["x:y", "a b", "::1", "h:70000", "[::1", "[::1]x"])
  func noPlaces(_ text: String) {
    let error = #expect(throws: ServerError.self) { try Listener(text) }
    #expect(
      error?.message
        == "'\(text)' is no place to listen at; write HOST:PORT, such as 127.0.0.1:11434 or [::1]:8080."
    )
  }

  @Test(
    "lengths of time are written as Ollama's clients do",
    arguments: [
      ("5m", 300_000), ("1h30m", 5_400_000), ("1.5s", 1500), ("250ms", 250), ("0", 0),
      ("60", 60_000),
    ])
  func times(_ text: String, _ milliseconds: Int) throws {
    #expect(try KeepAlive(text).duration == .milliseconds(milliseconds))
  }

  @Test("something negative is for ever", arguments: ["-1", "-5m"])
  func forEver(_ text: String) throws { #expect(try KeepAlive(text).duration == nil) }

  @Test("what is no length of time is refused", arguments: ["soon", "", "5x", "m", "--1m", "nan"])
  func noTimes(_ text: String) {
    #expect(throws: ServerError.self) { try KeepAlive(text) }
  }

  @Test("a file sets what it names, the environment what it has, a flag the rest; the later wins")
  func precedence() throws {
    let path = NSTemporaryDirectory() + "facet-settings-\(UUID().uuidString).yaml"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(
      """
      host: [127.0.0.1:1, "[::1]:2"]
      max_queue: 7
      num_parallel: 3
      keep_alive: -1
      memory_budget: 1.5GB
      """.utf8
    ).write(to: URL(fileURLWithPath: path))
    var settings = ServerSettings()
    try settings.read(file: path)
    #expect(settings.listeners.map(\.port) == [1, 2])
    #expect(settings.keepAlive == nil && settings.memoryBudget == 1_500_000_000)
    try settings.read(environment: [
      "FACET_MAX_QUEUE": "8", "FACET_ORIGINS": "https://a, https://b",
    ])
    #expect(settings.maxQueue == 8 && settings.origins == ["https://a", "https://b"])
    try settings.set("max_queue", to: ["9"])
    #expect(settings.maxQueue == 9 && settings.parallel == 3)
  }

  @Test(
    "settings that cannot work are refused with what to do",
    arguments: [
      (
        "host", "0.0.0.0:1",
        "0.0.0.0:1 can be reached from other machines, and there is no key. "
          + "Give one with --api-key, or say --allow-anyone."
      ),
      ("tls_cert", "x", "TLS needs both a certificate and its key: --tls-cert and --tls-key."),
      ("api_key", "short", "An API key has fewer than 8 characters."),
      ("max_choices", "0", "The setting 'max_choices' is 0; it must be 1 or more."),
    ])
  func refusals(_ name: String, _ value: String, _ message: String) throws {
    var settings = ServerSettings()
    try settings.set(name, to: [value])
    let error = #expect(throws: ServerError.self) { try settings.validate() }
    #expect(error?.message == message)
  }

  @Test("a name that is no setting is refused with those that are")
  func unknown() {
    var settings = ServerSettings()
    let error = #expect(throws: ServerError.self) { try settings.set("colour", to: ["red"]) }
    #expect(
      error?.message.hasPrefix("There is no setting 'colour'. There are: host, models") == true)
  }

  @Test("a value of the wrong kind is refused by its name")
  func kinds() {
    var settings = ServerSettings()
    for (name, value, message) in [
      ("threads", "many", "The setting 'threads' is 'many'; it must be a whole number."),
      ("read_only", "perhaps", "The setting 'read_only' is 'perhaps'; it must be true or false."),
      ("log_format", "xml", "The setting 'log_format' is 'xml'; it must be text or json."),
      (
        "memory_budget", "lots",
        "The setting 'memory_budget' is 'lots'; it must be a size, such as 8GB."
      ),
    ] {
      let error = #expect(throws: ServerError.self) { try settings.set(name, to: [value]) }
      #expect(error?.message == message)
    }
  }
}
