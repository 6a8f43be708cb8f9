// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import ArgumentParser
import Facet
import Foundation

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Answer a prompt, or chat.",
    discussion: """
      With two arguments the first is the model, the second the prompt. A single argument is the \
      model if it is a known name, begins with hf:, or is an existing file or directory, or looks \
      like one (a path, a name ending in .gguf); otherwise it is the prompt, and the model is \
      \(ModelStore.defaultModel). Without a prompt: standard input is the prompt, less the newline \
      at its end; on a terminal a chat begins (/help there tells the rest).

      A base model continues the prompt; an instruction-tuned one answers it as a user's turn, \
      unless --raw is given. A model that is not on this machine is pulled first. The answer alone \
      goes to standard output.

      With --json, standard output is one JSON object a line, told apart by the key event:
        prefill   done, total: tokens of the prompt that were read
        token     id, text; with --logprobs also logprob and top_logprobs,
                  a list of id, piece, logprob
        rest      text: held back, and part of the answer after all
        finished  reason (end_of_turn, guide_complete, stop_text, max_tokens,
                  context_full, cancelled), stop, prompt_tokens, cached_tokens,
                  generated_tokens, forced_tokens, drafted_tokens,
                  accepted_tokens, prefill_s, decode_s, seed,
                  prefill_tokens_per_s, decode_tokens_per_s
      All texts together are the answer.
      """)

  @Argument(
    help: "A name, hf:owner/name, a file or a directory.", completion: ModelCompletion.names)
  var model: String?

  @Argument(help: "The text to answer or to continue.")
  var prompt: String?

  @Option(
    help: ArgumentHelp(
      "A PEFT, mlx-lm or GGUF adapter, with :strength where that is not 1; repeatable.",
      valueName: "adapter"),
    completion: .file())
  var adapter: [String] = []

  @Flag(help: "Send the prompt as it is, without the model's chat format.")
  var raw = false

  @Option(help: ArgumentHelp("Instructions for an instruction-tuned model.", valueName: "text"))
  var system: String?

  @OptionGroup(title: "Sampling") var sampling: SamplingOptions
  @OptionGroup(title: "Answer") var answer: AnswerOptions
  @OptionGroup(title: "Guide") var guide: GuideOptions
  @OptionGroup(title: "Engine") var engine: EngineOptions
  @OptionGroup(title: "Speculation") var speculation: SpeculationOptions

  @Option(
    help: ArgumentHelp(
      "Keep what was read of the prompt in this file, and begin with it if it exists.",
      valueName: "file"),
    completion: .file())
  var snapshot: String?

  @Flag(help: "Print events as JSON, one a line.")
  var json = false

  @Option(
    parsing: .unconditional,
    help: "With --json: log-probabilities, with this many of the likeliest tokens.")
  var logprobs: Int?

  @Flag(name: .shortAndLong, help: "Print timings to standard error.")
  var verbose = false

  func validate() throws {
    if logprobs != nil, !json { throw ValidationError("--logprobs needs --json.") }
    if raw, system != nil {
      throw ValidationError(
        "--raw sends no chat format, so --system has no place; give one of them.")
    }
    if guide.isGiven, !answer.stop.isEmpty {
      throw ValidationError(
        "--stop would cut off what \(guide.flag) asks for; give one of the two.")
    }
    do { try GenerationOptions(logProbabilities: logprobs).validate() } catch {
      throw ValidationError(error.message)
    }
  }

  func run() async throws {
    let (reference, given) = try split()
    let store = ModelStore()
    if try !store.isMissing(reference) { _ = try store.locate(reference) }
    let isChat = given == nil && Terminal.inputIsTerminal && OutputFile.standard.isTerminal && !json
    let prompt = isChat ? nil : try given ?? StandardInput.text()
    if let prompt, prompt.isEmpty {
      throw Failure(
        "The prompt is empty; give at least one character, or no prompt at all for a chat.")
    }
    if isChat, snapshot != nil {
      throw Failure("--snapshot needs a prompt; a chat keeps what was said with /save.")
    }
    if isChat, guide.isGiven {
      throw Failure("\(guide.flag) needs a prompt; a chat has no guide.")
    }
    let wanted = try guide.guide()
    try wanted?.validate()
    let start = ContinuousClock.now
    let plain = try await Interrupts.cancelling { try await engine.model(reference) }.language
    let files = try adapter.map { try AdapterArgument($0).file() }
    let model = try plain.with(files.map { try $0.adapter(for: plain.configuration) })
      .conversing(as: files.compactMap(\.checkpoint.chatTemplate).last)
    if verbose { tell("loaded in \(Seconds(ContinuousClock.now - start))") }
    if raw || model.chatFormat == nil, system != nil {
      throw Failure(
        "\(model.card.name) is a base model and knows no system text; leave --system out.")
    }
    let guesses = try await Interrupts.cancelling { try await speculation.speculation(engine) }
    guard let prompt else {
      let conversation = try Conversation(
        model, context: answer.context, speculation: guesses, raw: raw)
      return try await Chat(
        conversation, with: model, name: store.displayName(of: reference),
        settings: settings(model)
      ).run()
    }
    let summary = try await Interrupts.cancelling { try reply(model, guesses, prompt, wanted) }
    if verbose { AnswerTimings.tell(summary) }
    try explain(summary)
  }

  /// The model and the prompt among the arguments.
  private func split() throws -> (model: String, prompt: String?) {
    guard let model else { return (ModelStore.defaultModel, nil) }
    if let prompt { return (model, prompt) }
    return ModelStore().names(model) ? (model, nil) : (ModelStore.defaultModel, model)
  }

  private func settings(_ model: LanguageModel) -> ChatSettings {
    ChatSettings(
      options: answer.options(
        sampling.sampling(over: model.defaultSampling), continues: raw || model.chatFormat == nil),
      system: system)
  }

  private func reply(
    _ model: LanguageModel, _ guesses: Speculation?, _ text: String, _ wanted: Guide?
  ) throws -> GenerationSummary {
    let continues = raw || model.chatFormat == nil
    let messages = (system.map { [ChatMessage(.system, $0)] } ?? []) + [ChatMessage(.user, text)]
    let prompt = continues ? model.prompt(text) : try model.prompt(messages)
    var options = answer.options(
      sampling.sampling(over: model.defaultSampling), continues: continues && wanted == nil,
      logProbabilities: logprobs)
    options.guide = wanted
    var session = try Session(model, context: answer.context, speculation: guesses)
    if let snapshot, FileManager.default.fileExists(atPath: snapshot) {
      try session.restore(from: snapshot)
    }
    var output = AnswerText(.standard)
    let summary = try session.generate(prompt, options: options) { event in
      if json {
        let line = try AnswerJSON.line(
          event, tokenizer: model.tokenizer, asked: logprobs != nil)
        try OutputFile.standard.write(line + "\n")
      } else {
        try output.show(event)
      }
    }
    if let snapshot, summary.generatedTokens > 0 {
      // Another question about the same text parts from this one before its end.
      session.truncate(to: min(prompt.tokens.count, session.tokens.count))
      try session.save(to: snapshot)
    }
    return summary
  }

  /// Says what a reader of the answer could not know, and exits accordingly.
  private func explain(_ summary: GenerationSummary) throws {
    switch summary.reason {
    case .cancelled: throw ExitCode(130)
    case .contextFull:
      tell(
        "the context of \(summary.promptTokens + summary.generatedTokens - 1) tokens is full; "
          + "--context sets a larger one.")
    case .maxTokens where answer.maxTokens == nil && OutputFile.error.isTerminal && !json:
      tell("stopped after \(summary.generatedTokens) tokens; --max-tokens sets another number.")
    case .maxTokens where guide.isGiven:
      tell(
        "stopped after \(summary.generatedTokens) tokens, before the guide's text was complete; "
          + "--max-tokens sets another number.")
    case .maxTokens, .endOfTurn, .stopText, .guideComplete: break
    }
  }

  private func tell(_ text: String) { OutputFile.error.tell("facet: \(text)") }
}
