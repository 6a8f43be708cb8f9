// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import FacetServer
import Foundation
import Logging

@main
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "facet serve",
    abstract: "Serve models to the clients of other servers, with a page to chat on.",
    discussion: """
      Clients of Ollama, OpenAI, Google's Gemini API, Anthropic, Vertex AI and KServe work as they are. \
      A browser at the same address gets a page to chat on.

      Every setting can stand in a YAML file (--config), in the environment (FACET_HOST, FACET_API_KEY, \
      FACET_KEEP_ALIVE …) or in a flag; the later of these wins. docs/serving.md lists them.
      """)

  @Option(
    name: .long, help: "Listen at HOST:PORT; may come several times. (default: 127.0.0.1:11434)")
  var listen: [String] = []

  @Option(
    help: "Load this model before the server is ready, and mean it where a request names none.")
  var model: [String] = []

  @Option(help: "Answer only requests with this key; may come several times.")
  var apiKey: [String] = []

  @Flag(help: "Listen beyond this machine without a key.")
  var allowAnyone = false

  @Option(help: "The certificate chain for TLS, PEM.")
  var tlsCert: String?

  @Option(help: "The certificate's private key, PEM.")
  var tlsKey: String?

  @Option(help: "Let pages of this origin ask, https://example.org; may come several times.")
  var origin: [String] = []

  @Option(help: "Keep a model loaded so long after its last answer: 5m, 1h, -1 for ever.")
  var keepAlive: String?

  @Option(help: "Tokens of context for each answer.")
  var context: Int?

  @Option(help: "Answers that a model works on at once.")
  var parallel: Int?

  @Option(help: "Requests that may wait for a model.")
  var maxQueue: Int?

  @Option(help: "Threads of the engine.")
  var threads: Int?

  @Flag(help: "Refuse to pull, make, copy or remove models.")
  var readOnly = false

  @Option(help: "How the log is written: text or json.")
  var logFormat: String?

  @Option(help: "What of it is written: debug, info, warning, error.")
  var logLevel: String?

  @Option(help: "Read settings from this YAML file.")
  var config: String?

  @Flag(help: "Check the settings, say them, and end.")
  var check = false

  /// The settings of file, environment and flags.
  func settings(_ environment: [String: String]) throws -> ServerSettings {
    var settings = ServerSettings()
    if let config { try settings.read(file: config) }
    try settings.read(environment: environment)
    let lists = [("host", listen), ("models", model), ("api_key", apiKey), ("origins", origin)]
    for (name, values) in lists where !values.isEmpty { try settings.set(name, to: values) }
    let texts: [(String, String?)] = [
      ("tls_cert", tlsCert), ("tls_key", tlsKey), ("keep_alive", keepAlive),
      ("context_length", context.map(String.init)), ("num_parallel", parallel.map(String.init)),
      ("max_queue", maxQueue.map(String.init)), ("threads", threads.map(String.init)),
      ("log_format", logFormat), ("log_level", logLevel),
      ("allow_anyone", allowAnyone ? "true" : nil), ("read_only", readOnly ? "true" : nil),
    ]
    for (name, text) in texts {
      if let text { try settings.set(name, to: [text]) }
    }
    return settings
  }

  func run() async throws {
    do {
      let settings = try settings(ProcessInfo.processInfo.environment)
      let server = try Server(settings, logger: Self.logger(settings))
      if check {
        try server.check()
        FileHandle.standardOutput.write(
          Data((settings.summary + "\nThe settings are fine.\n").utf8))
        return
      }
      try await server.run()
    } catch is CancellationError {
      throw ExitCode(130)
    } catch let error as ServerError {
      FileHandle.standardError.write(Data("facet serve: \(error.message)\n".utf8))
      throw ExitCode(1)
    } catch {
      FileHandle.standardError.write(Data("facet serve: \(error)\n".utf8))
      throw ExitCode(1)
    }
  }

  private static func logger(_ settings: ServerSettings) -> Logger {
    let level = Logger.Level(rawValue: settings.logLevel) ?? .info
    var logger = Logger(label: "facet") { label in
      switch settings.logFormat {
      case .json: JSONLogHandler(label: label)
      case .text: StreamLogHandler.standardError(label: label)
      }
    }
    logger.logLevel = level
    return logger
  }
}
