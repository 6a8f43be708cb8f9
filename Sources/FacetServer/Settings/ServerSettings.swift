// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// How a server is set up; see docs/serving.md.
public struct ServerSettings: Sendable, Hashable {
  /// Where it listens.
  public var listeners = [Listener(host: "127.0.0.1", port: Listener.defaultPort)]
  /// Models to load before it is ready; the first one is meant where a request names none.
  public var models: [String] = []
  /// Keys that open every route but health; none: everybody who can connect may ask.
  public var apiKeys: [String] = []
  /// Whether it may listen beyond this machine without a key.
  public var allowsAnyone = false
  /// Files of the certificate chain and its private key, PEM; both or none.
  public var tlsCertificate: String?
  /// The private key's file.
  public var tlsKey: String?
  /// Pages of other hosts that may ask, `https://example.org`; `*`: all.
  public var origins: [String] = []
  /// Names under which it may be reached, besides addresses, `localhost` and this machine's name.
  public var hostNames: [String] = []
  /// How long a model stays loaded after its last answer; nil: for ever.
  public var keepAlive: Duration? = .seconds(300)
  /// Bytes that loaded models and their caches may take; nil: most of what the machine has.
  public var memoryBudget: Int?
  /// Tokens of context for each answer; nil: what the model was made for, and at most 8192.
  public var contextLength: Int?
  /// Answers that a model works on at once.
  public var parallel = 16
  /// Requests that may wait for a model; more are refused.
  public var maxQueue = 512
  /// Threads of the engine; nil: one per core.
  public var threads: Int?
  /// The largest body of a request; files of models are taken at any size.
  public var maxBodyBytes = 32 << 20
  /// The largest header, all lines together.
  public var maxHeaderBytes = 32 << 10
  /// Connections at once; more wait.
  public var maxConnections = 1024
  /// The most answers to one prompt.
  public var maxChoices = 16
  /// The most stop texts of one request.
  public var maxStops = 16
  /// Whether models cannot be pulled, made, copied or removed.
  public var isReadOnly = false
  /// How the log is written.
  public var logFormat = LogFormat.text
  /// What of it is written.
  public var logLevel = "info"
  /// Whether `/metrics` has vLLM's names besides its own.
  public var hasMetricAliases = true
  /// How long running answers may go on once the server is told to stop.
  public var shutdownDeadline = Duration.seconds(30)
  /// The contract of Vertex AI's custom containers, when it runs as one.
  public var vertex: VertexSettings?

  /// What is said above.
  public init() {}

  /// How the log is written.
  public enum LogFormat: String, Sendable, Hashable, CaseIterable {
    /// Lines for people.
    case text
    /// One JSON object a line.
    case json
  }

  /// Refuses what cannot work with a sentence that names the setting.
  public func validate() throws(ServerError) {
    func require(_ condition: Bool, _ sentence: String) throws(ServerError) {
      guard condition else { throw ServerError(.invalidSettings, sentence) }
    }
    try require(!listeners.isEmpty, "There is no place to listen at; give one with --listen.")
    try require(
      (tlsCertificate == nil) == (tlsKey == nil),
      "TLS needs both a certificate and its key: --tls-cert and --tls-key.")
    if apiKeys.isEmpty, !allowsAnyone, let open = listeners.first(where: { !$0.isLoopback }) {
      throw ServerError(
        .invalidSettings,
        "\(open) can be reached from other machines, and there is no key. Give one with --api-key, or "
          + "say --allow-anyone.")
    }
    try require(
      apiKeys.allSatisfy { $0.utf8.count >= 8 }, "An API key has fewer than 8 characters.")
    for (name, value) in [
      ("max_body_bytes", maxBodyBytes), ("max_header_bytes", maxHeaderBytes),
      ("max_connections", maxConnections), ("max_choices", maxChoices), ("max_stops", maxStops),
      ("num_parallel", parallel), ("max_queue", maxQueue),
    ] {
      try require(value >= 1, "The setting '\(name)' is \(value); it must be 1 or more.")
    }
  }
}

/// What Vertex AI tells a custom container in its environment.
public struct VertexSettings: Sendable, Hashable {
  /// The route of the health checks.
  public var healthRoute: String
  /// The route of predictions.
  public var predictRoute: String
}
