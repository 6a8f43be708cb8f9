// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import HTTPTypes
import Hummingbird

/// All routes of the server.
struct ServerRoutes {
  let server: Server

  var all: [Route] {
    operations + openAI + ollama + anthropic + gemini + inference + vertex
  }

  private var operations: [Route] {
    let operations = OperationRoutes(server: server)
    let tokens = TokenRoutes(server: server)
    return [
      .get("/", "The chat page; a line of text for those who are no browser", [], operations.root),
      .get("/health", "Whether requests are answered", [], operations.health),
      .get("/v1/health", "Whether requests are answered", [], operations.health),
      .get("/ping", "Whether requests are answered", [], operations.health),
      .get("/metrics", "Figures in Prometheus's format", [], operations.metrics),
      .get("/openapi.json", "This description", [], operations.openAPI),
      .post("/tokenize", "Tokens of a text", Schemas.tokenize, [], tokens.tokenize),
      .post("/detokenize", "The text of tokens", Schemas.detokenize, [], tokens.detokenize),
      .get("/tokenizer_info", "Special tokens of the vocabulary", [], tokens.information),
      .post(
        "/apply-template", "A conversation as text", Schemas.conversation, [],
        tokens.applyTemplate),
    ]
  }

  private var openAI: [Route] {
    let chat = OpenAIChat(server: server)
    let completion = OpenAICompletion(server: server)
    let embeddings = OpenAIEmbeddings(server: server)
    let models = OpenAIModels(server: server)
    // KServe has the same below /openai.
    let oneModel = Route.get(
      "/openai/v1/models/**", "One model", [("model", "gemma3:270m")],
      { request, context in
        try models.show(request.path(after: "/openai/v1/models/") ?? "", context)
      })
    func routes(_ base: String) -> [Route] {
      [
        .get("\(base)/models", "The models", [], models.list),
        .post("\(base)/chat/completions", "A reply", Schemas.chat, [], chat.respond),
        .post("\(base)/completions", "A continuation", Schemas.completion, [], completion.respond),
        .post("\(base)/embeddings", "Vectors of texts", Schemas.embeddings, [], embeddings.respond),
      ]
    }
    return routes("/v1") + routes("/openai/v1") + [oneModel]
  }

  private var ollama: [Route] {
    let answers = OllamaAnswers(server: server)
    let library = OllamaLibrary(server: server)
    let changes = OllamaChanges(server: server)
    let embeddings = OllamaEmbeddings(server: server)
    let digest = [("digest", "sha256:" + String(repeating: "0", count: 64))]
    return [
      .get("/api/version", "The version of Ollama whose features there are", [], library.version),
      .get("/api/status", "That nothing is in a cloud", [], library.status),
      .get("/api/tags", "The models", [], library.tags),
      .get("/api/ps", "Models in memory", [], library.running),
      .post("/api/show", "What a model is", Schemas.named, [], library.show),
      .post("/api/generate", "A continuation or a reply", Schemas.generate, [], answers.generate),
      .post("/api/chat", "A reply", Schemas.ollamaChat, [], answers.chat),
      .post("/api/embed", "Vectors of texts", Schemas.ollamaEmbed, [], embeddings.embed),
      .post("/api/embeddings", "The vector of a text", Schemas.ollamaPrompt, [], embeddings.legacy),
      .post("/api/pull", "Bring a model into the library", Schemas.named, [], changes.pull),
      .post("/api/push", "Refused: there is no registry", Schemas.named, [], changes.push),
      .post(
        "/api/create", "Make a model of another, or of files", Schemas.create, [], changes.create),
      .post("/api/copy", "Give a model a second name", Schemas.copy, [], changes.copy),
      Route(
        method: .delete, path: "/api/delete", summary: "Remove a model", body: Schemas.named,
        handler: changes.delete),
      Route(
        method: .head, path: "/api/blobs/{digest}", summary: "Whether a file is here",
        parameters: digest, handler: changes.hasBlob),
      .post("/api/blobs/{digest}", "Send a file", nil, digest, changes.takeBlob),
    ]
  }

  private var anthropic: [Route] {
    let messages = AnthropicMessages(server: server)
    return [
      .post("/v1/messages", "A reply", Schemas.messages, [], messages.respond),
      .post(
        "/v1/messages/count_tokens", "The length of a conversation", Schemas.messages, [],
        messages.count),
    ]
  }

  private var gemini: [Route] {
    let models = GeminiModels(server: server)
    let openAI = OpenAIModels(server: server)
    let answers = GeminiAnswers(server: server)
    let prediction = VertexPrediction(server: server)
    let name = [("model", "gemma3:270m")]
    let named = [("model", "gemma3:270m:generateContent")]
    return ["/v1beta", "/v1alpha"].map { base -> Route in
      .get(base + "/models", "The models", [], models.list)
    }
      + ["/v1", "/v1beta", "/v1alpha"].flatMap { base -> [Route] in
        let prefix = base + "/models/"
        return [
          .get(prefix + "**", "One model", name) { request, context in
            let name = request.path(after: prefix) ?? ""
            return context.shape == .gemini ? try models.show(name) : try openAI.show(name, context)
          },
          .post(prefix + "**", "A reply, tokens or vectors", Schemas.contents, named) {
            request, context in
            let rest = request.path(after: prefix) ?? ""
            if rest.hasSuffix(":predict") {
              return try await prediction.respond(
                request, context, model: String(rest.dropLast(":predict".count)))
            }
            guard let (name, verb) = GeminiVerb.split(rest) else { throw HTTPError(.notFound) }
            return try await answers.respond(verb, name, request, context)
          },
        ]
      }
  }

  private var inference: [Route] {
    let routes = InferenceRoutes(server: server)
    let name = [("model", "gemma3:270m")]
    return [
      .get("/v2", "What the server is", [], routes.about),
      .get("/v2/health/live", "Whether the server lives", [], routes.live),
      .get("/v2/health/ready", "Whether requests are answered", [], routes.ready),
      .get("/v2/models", "The models", [], routes.list),
      .get("/v2/models/**", "One model", name, routes.show),
      .post(
        "/v2/models/**", "Continuations of texts", Schemas.infer,
        [("model", "gemma3:270m/infer")], routes.post),
      .post(
        "/v2/repository/**", "Load, unload or list models", nil, [("action", "index")],
        routes.repository),
    ]
  }

  private var vertex: [Route] {
    let prediction = VertexPrediction(server: server)
    let standard = Route.post(
      "/predict", "Predictions of instances", Schemas.predict, [], prediction.respond)
    guard let settings = server.settings.vertex else { return [standard] }
    var routes = [
      Route.get(settings.healthRoute, "Whether requests are answered", [], prediction.health)
    ]
    if settings.predictRoute != "/predict" {
      routes.append(
        .post(
          settings.predictRoute, "Predictions of instances", Schemas.predict, [],
          prediction.respond))
    }
    // A route of the contract may be one that the server has anyway.
    let taken: Set = ["/health", "/v1/health", "/ping", "/v1/chat/completions", "/v1/completions"]
    return [standard] + routes.filter { !taken.contains($0.path) }
  }
}

extension Route {
  /// Whether `path` is one of this route's.
  func matches(_ path: String) -> Bool {
    let own = self.path.split(separator: "/")
    let other = path.split(separator: "/")
    for (index, part) in own.enumerated() {
      if part == "**" { return other.count > index }
      guard index < other.count, part.hasPrefix("{") || part == other[index] else { return false }
    }
    return own.count == other.count
  }
}
