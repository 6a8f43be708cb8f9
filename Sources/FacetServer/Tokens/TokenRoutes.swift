// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetGeneration
import FacetJSON
import FacetTokenizer
import Hummingbird

/// `/tokenize`, `/detokenize`, `/tokenizer_info` as vLLM and llama.cpp have them: with these an evaluation
/// harness needs no tokenizer of its own.
struct TokenRoutes: Sendable {
  let server: Server

  @Sendable func tokenize(_ request: Request, _ context: ServerContext) async throws -> Response {
    let fields = try await request.fields(server, context)
    let model = try await server.models.model(try fields.string("model"))
    let tokenizer = model.tokenizer
    let tokens: [TokenID]
    if fields["messages"] != nil {
      tokens = try model.prompt(ChatReading.openAI(fields)).tokens
    } else {
      // vLLM calls it prompt and adds the beginning; llama.cpp calls it content and does not.
      let isPrompt = fields["prompt"] != nil
      let text = isPrompt ? try fields.text("prompt") : try fields.text("content")
      let adds =
        try fields.bool("add_special_tokens") ?? fields.bool("add_special") ?? isPrompt
      let parses = try fields.bool("parse_special") ?? true
      tokens = tokenizer.encode(text, parsing: parses ? .recognized : .literal, bos: adds)
    }
    let hasPieces =
      try fields.bool("with_pieces") ?? fields.bool("return_token_strs") ?? false
    return .json(
      .record([
        "count": .integer(tokens.count),
        "max_model_len": .integer(model.engine.contextLength), "tokens": .integers(tokens),
        "token_strs": hasPieces ? .strings(tokens.map { tokenizer.text(of: $0) }) : nil,
      ]))
  }

  @Sendable func detokenize(_ request: Request, _ context: ServerContext) async throws -> Response {
    let fields = try await request.fields(server, context)
    let model = try await server.models.model(try fields.string("model"))
    guard let values = try fields.array("tokens") else { throw fields.missing("tokens") }
    let tokens = try TextInput.tokens(values, "tokens")
    guard tokens.allSatisfy({ Int($0) < model.tokenizer.vocabularySize }) else {
      throw ServerError(
        .invalidRequest,
        "'tokens' has ids that are not in the vocabulary of \(model.tokenizer.vocabularySize) pieces.",
        parameter: "tokens")
    }
    let text = model.tokenizer.decode(tokens, skippingControl: false)
    return .json(.record(["prompt": .string(text), "content": .string(text)]))
  }

  @Sendable func information(_ request: Request, _ context: ServerContext) async throws -> Response
  {
    let model = try await server.models.model(
      request.uri.queryParameters["model"].map { String($0) })
    let tokenizer = model.tokenizer
    func piece(_ token: TokenID?) -> JSON {
      token.flatMap(tokenizer.piece).map { .string($0) } ?? .null
    }
    let special = tokenizer.special
    return .json(
      .record([
        "tokenizer_class": "FacetTokenizer", "model": .string(model.name),
        "bos_token": piece(special.bos), "eos_token": piece(special.eos),
        "pad_token": piece(special.padding), "unk_token": piece(special.unknown),
        "add_bos_token": .bool(special.addsBOS),
        "vocab_size": .integer(tokenizer.vocabularySize),
        "model_max_length": .integer(model.engine.contextLength),
        "chat_template": model.language.chatFormat?.template.map { .string($0) } ?? .null,
      ]))
  }

  /// llama.cpp's: the conversation as text.
  @Sendable func applyTemplate(_ request: Request, _ context: ServerContext) async throws
    -> Response
  {
    let fields = try await request.fields(server, context)
    let model = try await server.models.model(try fields.string("model"))
    let prompt = try model.prompt(ChatReading.openAI(fields))
    return .json(
      .record([
        "prompt": .string(model.tokenizer.decode(prompt.tokens, skippingControl: false))
      ]))
  }
}
