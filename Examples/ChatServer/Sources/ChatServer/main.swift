// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import Facet
import Hummingbird

// A route that streams an answer: swift run -c release ChatServer [MODEL], then
// curl -N localhost:8080/chat -d '{"prompt": "Name three colours."}' -H 'Content-Type: application/json'

/// What a client sends.
struct Question: Decodable {
  var prompt: String
  var instructions: String?
}

let model = try await Model.load(CommandLine.arguments.dropFirst().first ?? "smollm2:135m")
// All answers under way are read together, token by token.
let engine = try Engine(model.language)
let router = Router()
router.post("chat") { request, context in
  let question = try await request.decode(as: Question.self, context: context)
  let session = LanguageModelSession(engine: engine, instructions: question.instructions)
  let options = GenerationOptions(maxTokens: 512)
  let deltas = session.streamResponse(to: question.prompt, options: options).deltas
  // When the client goes away nobody reads on, and the answer ends at its next token.
  return Response(
    status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
    body: ResponseBody(asyncSequence: deltas.map { ByteBuffer(string: $0) }))
}
let server = Application(
  router: router, configuration: .init(address: .hostname("127.0.0.1", port: 8080)))
try await server.runService()
