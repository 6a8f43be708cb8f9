// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTestSupport
import Foundation
import Testing

/// The program `facet-serve`, as `facet serve` starts it.
@Suite("facet serve")
struct ServeCommandTests {
  /// The program, which is built beside the bundle of the tests.
  static let executable: String = {
    var folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    for _ in 0..<5 {
      folder.deleteLastPathComponent()
      let candidate = folder.appendingPathComponent("facet-serve").path
      if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
    }
    return "facet-serve"
  }()

  /// Runs it with `arguments`.
  static func run(_ arguments: [String]) throws -> (status: Int32, output: String, error: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.environment = ["HOME": NSTemporaryDirectory(), "COLUMNS": "80"]
    let output = Pipe()
    let error = Pipe()
    process.standardOutput = output
    process.standardError = error
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let sentence = error.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (
      process.terminationStatus, String(decoding: text, as: UTF8.self),
      String(decoding: sentence, as: UTF8.self)
    )
  }

  @Test("--check says what the settings are, and listens nowhere")
  func check() throws {
    let model = Goldens.path("fixtures/gemma3/gemma3.gguf")
    let result = try Self.run(["--listen", "127.0.0.1:1", "--model", model, "--check"])
    #expect(result.status == 0, "\(result.error)")
    #expect(result.output.contains("127.0.0.1:1"))
    #expect(result.output.hasSuffix("The settings are fine.\n"))
  }

  @Test(
    "what cannot work is said in a sentence",
    arguments: [
      (["--listen", "0.0.0.0:1"], "there is no key"),
      (["--model", "nobody"], "'nobody' not found"),
      (["--tls-cert", "/none", "--tls-key", "/none"], "cannot be used"),
      (["--config", "/none"], "The settings '/none' cannot be read."),
    ])
  func refusals(_ arguments: [String], _ words: String) throws {
    let result = try Self.run(arguments + ["--check"])
    #expect(result.status == 1)
    #expect(result.error.hasPrefix("facet serve: "))
    #expect(result.error.contains(words), "\(result.error)")
  }
}
