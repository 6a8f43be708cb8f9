// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetTokenizer
import Testing

/// What a conversation becomes where the templates refuse, which formats are recognised, and errors.
struct ChatFormatTests {
  private func text(_ format: ChatFormat, _ messages: [ChatMessage]) throws -> String {
    let tokenizer =
      format == .gemma || format == .gemma4
      ? try Vocabularies.small(format == .gemma ? "gemma.model" : "gemma4.model")
      : format == .chatML || format == .smolLM2
        ? try Vocabularies.smolLM2() : try Vocabularies.small("llama.model")
    return try format.renderText(messages, tokenizer: tokenizer)
  }

  // Where Facet differs from the templates on purpose: they raise errors in these four cases.
  @Test("two messages of one role in a row are one turn")
  func repeatedRoles() throws {
    let messages: [ChatMessage] = [
      ChatMessage(.user, "a"), ChatMessage(.user, "b"), ChatMessage(.assistant, "c"),
      ChatMessage(.assistant, "d"), ChatMessage(.user, "e"),
    ]
    #expect(
      try text(.gemma, messages)
        == "<bos><start_of_turn>user\na\n\nb<end_of_turn>\n<start_of_turn>model\nc\n\nd<end_of_turn>\n"
        + "<start_of_turn>user\ne<end_of_turn>\n<start_of_turn>model\n")
    #expect(
      try text(.mistral, messages) == "<s>[INST] a\n\nb [/INST] c\n\nd</s>[INST] e [/INST]")
  }

  @Test("instructions alone are asked as a question")
  func instructionsAlone() throws {
    #expect(
      try text(.gemma, [ChatMessage(.system, "Count.")])
        == "<bos><start_of_turn>user\nCount.<end_of_turn>\n<start_of_turn>model\n")
    #expect(try text(.llama2, [ChatMessage(.system, "Count.")]) == "<s>[INST] Count. [/INST]")
  }

  @Test("instructions in the middle are the user's words, where a format knows them only in front")
  func lateInstructions() throws {
    let messages: [ChatMessage] = [
      ChatMessage(.user, "a"), ChatMessage(.assistant, "b"), ChatMessage(.system, "c"),
    ]
    #expect(try text(.mistralV3, messages) == "<s>[INST] a[/INST] b</s>[INST] c[/INST]")
    #expect(
      try text(.chatML, messages)
        == "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n"
        + "<|im_start|>system\nc<|im_end|>\n<|im_start|>assistant\n")
  }

  @Test("several system messages in front are one")
  func severalInstructions() throws {
    let messages: [ChatMessage] = [
      ChatMessage(.system, "a"), ChatMessage(.system, "b"), ChatMessage(.user, "c"),
    ]
    #expect(
      try text(.llama2, messages) == "<s>[INST] <<SYS>>\na\n\nb\n<</SYS>>\n\nc [/INST]")
  }

  private func message(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch {
      return (error as? TokenizerError)?.message
    }
  }

  @Test("errors say what is missing and what to do", arguments: ChatFormat.allCases)
  func errors(_ format: ChatFormat) throws {
    #expect(
      message { _ = try text(format, []) }
        == "The conversation has no messages; give at least one.")
    if format != .chatML && format != .smolLM2 {
      #expect(
        message { _ = try text(format, [ChatMessage(.assistant, "x")]) }
          == "The conversation begins with a message of the assistant; the chat format "
          + "'\(format.rawValue)' begins with the user's.")
    }
  }

  @Test("a token that the vocabulary lacks is named")
  func missingTokens() throws {
    let user = [ChatMessage(.user, "x")]
    let byteLevel = try Vocabularies.small("gpt2.json")
    #expect(
      message {
        _ = try ChatFormat.mistralV3.render(user, tokenizer: Vocabularies.small("gemma.model"))
      }
        == "The chat format 'mistralV3' needs the '[INST]' token, which this model's vocabulary does "
        + "not have; choose another format or use the model without one.")
    #expect(
      message {
        _ = try ChatFormat.gemma.render(user, tokenizer: Vocabularies.small("llama.model"))
      }
        == "The chat format 'gemma' needs the '<start_of_turn>' token, which this model's vocabulary "
        + "does not have; choose another format or use the model without one.")
    var description = try Vocabularies.description("gpt2.gguf")
    description.bos = nil
    #expect(
      message { _ = try ChatFormat.llama2.render(user, tokenizer: Tokenizer(description)) }
        == "The chat format 'llama2' needs the beginning-of-sequence token, which this model's "
        + "vocabulary does not have; choose another format or use the model without one.")
    description.bos = 0
    let answered = user + [ChatMessage(.assistant, "y")]
    #expect(
      message { _ = try ChatFormat.mistral.render(answered, tokenizer: Tokenizer(description)) }
        == "The chat format 'mistral' needs the end-of-sequence token, which this model's vocabulary "
        + "does not have; choose another format or use the model without one.")
    #expect(message { _ = try ChatFormat.chatML.render(user, tokenizer: byteLevel) } == nil)
  }

  @Test("formats are recognised by the template, and others are not taken for them")
  func recognitionByTemplate() throws {
    let gemma = try Vocabularies.small("gemma.model")
    let llama = try Vocabularies.small("llama.model")
    let mistral = try Vocabularies.mistralV1()
    let smol = try Vocabularies.smolLM2()
    func format(_ template: String, _ tokenizer: Tokenizer) -> ChatFormat? {
      ChatFormat.recognize(
        architecture: "llama", template: template, tokenizer: tokenizer, name: "A Mistral Instruct")
    }
    #expect(format("{{ '<start_of_turn>' + role }}", gemma) == .gemma)
    #expect(format("{{ '<|im_start|>' }}", smol) == .chatML)
    #expect(format("{{ '<|im_start|>' }} trained by Hugging Face", smol) == .chatML)
    let own = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
    #expect(format("'<|im_start|>system\n\(own)<|im_end|>\n'", smol) == .smolLM2)
    #expect(format("'[INST] <<SYS>>\\n'", mistral) == .llama2)
    #expect(format("bos_token + '[INST] ' + content", mistral) == .mistral)
    #expect(format("bos_token + '[INST] ' + content", llama) == .mistralV3)
    // Templates of other families, and of vocabularies that lack the tokens.
    #expect(format("'[SYSTEM_PROMPT]' '[INST]'", llama) == nil)
    #expect(format("'<|start_header_id|>' + role + '<|end_header_id|>'", smol) == nil)
    #expect(format("'<|turn>' + role", gemma) == nil)
    let gemma4 = try Vocabularies.small("gemma4.model")
    #expect(format("'<|turn>' + role", gemma4) == .gemma4)
    #expect(format("'<|user|>' '<|assistant|>'", smol) == nil)
    #expect(format("", gemma) == nil)
    #expect(format("{{ '<start_of_turn>' }}", llama) == nil)
    #expect(format("{{ '<|im_start|>' }}", gemma) == nil)
  }

  @Test("without a template the name decides, and base models have no format")
  func recognitionByName() throws {
    let gemma = try Vocabularies.small("gemma.model")
    let llama = try Vocabularies.small("llama.model")
    let mistral = try Vocabularies.mistralV1()
    let smol = try Vocabularies.smolLM2()
    func format(_ architecture: String, _ name: String?, _ tokenizer: Tokenizer) -> ChatFormat? {
      ChatFormat.recognize(
        architecture: architecture, template: nil, tokenizer: tokenizer, name: name)
    }
    #expect(format("gemma3", "Gemma 3 270m It", gemma) == .gemma)
    #expect(format("gemma2", "gemma-2-2b-it", gemma) == .gemma)
    #expect(format("gemma", "Gemma 1.1 7b Instruct", gemma) == .gemma)
    #expect(
      format("gemma4", "Gemma 4 E2B It", try Vocabularies.small("gemma4.model")) == .gemma4)
    #expect(format("llama", "SmolLM2 135M Instruct", smol) == .smolLM2)
    #expect(format("llama", "Some Chat", smol) == .chatML)
    #expect(format("llama", "Mistral-7B-Instruct-v0.2", mistral) == .mistral)
    #expect(format("llama", "Mistral-7B-Instruct-v0.3", llama) == .mistralV3)
    #expect(format("llama", "Llama-2-7b-chat-hf", mistral) == .llama2)
    for name in [nil, "", "Gemma 3 270m", "gemma-2-2b", "Italian Gemma", "gemma with bit"] {
      #expect(format("gemma3", name, gemma) == nil, "\(name ?? "nil")")
    }
    #expect(format("llama", "Mistral-7B-v0.1", mistral) == nil)
    #expect(format("llama", "Llama-2-7b", mistral) == nil)
    #expect(format("llama", "Qwen chat", mistral) == nil)
    #expect(format("gemma3", "Gemma 3 It", llama) == nil)
  }

  @Test("each format stops at the text that ends its turns")
  func stops() {
    #expect(ChatFormat.gemma.stopTexts == ["<end_of_turn>"])
    #expect(ChatFormat.gemma4.stopTexts == ["<turn|>"])
    #expect(ChatFormat.mistralV3.stopTexts == ["</s>"])
    #expect(ChatFormat.smolLM2.stopTexts == ["<|im_end|>"])
  }
}
