// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension ChatFormat {
  /// The chat format of a model, from what its files say; nil for a base model and for formats that
  /// Facet does not know.
  ///
  /// - Parameters:
  ///   - architecture: The model's architecture, such as `gemma3` or `llama`.
  ///   - template: The model's Jinja chat template; it decides where there is one.
  ///   - tokenizer: The model's tokenizer; a format whose control tokens it lacks is not chosen.
  ///   - name: The model's name, such as `Gemma 3 270m It`, consulted where there is no template.
  public static func recognize(
    architecture: String, template: String?, tokenizer: Tokenizer, name: String?
  ) -> ChatFormat? {
    let named = template.map { of(template: $0, tokenizer) } ?? of(architecture, name, tokenizer)
    guard let named, named.markers.allSatisfy({ isControl($0, tokenizer) }) else { return nil }
    return named
  }

  /// The control tokens that the format is made of.
  private var markers: [String] {
    switch self {
    case .gemma: ["<start_of_turn>", "<end_of_turn>"]
    case .gemma4: ["<|turn>", "<turn|>", "<|channel>", "<channel|>"]
    case .llama2, .mistral: []
    case .mistralV3: ["[INST]", "[/INST]"]
    case .chatML, .smolLM2: ["<|im_start|>", "<|im_end|>"]
    }
  }

  private static func isControl(_ name: String, _ tokenizer: Tokenizer) -> Bool {
    tokenizer.token(forPiece: name).map(tokenizer.isControl) ?? false
  }

  private static func of(template: String, _ tokenizer: Tokenizer) -> ChatFormat? {
    func says(_ text: String) -> Bool { contains(template, text) }
    if says("<start_of_turn>") { return .gemma }
    if says("<|turn>") { return .gemma4 }
    if says("<|im_start|>") { return says(smolLM2System) ? .smolLM2 : .chatML }
    guard says("[INST]") else { return nil }
    if says("<<SYS>>") { return .llama2 }
    // v0.7 and later bring tokens of their own for instructions and tools.
    if says("[SYSTEM_PROMPT]") { return nil }
    return isControl("[INST]", tokenizer) ? .mistralV3 : .mistral
  }

  private static func of(_ architecture: String, _ name: String?, _ tokenizer: Tokenizer)
    -> ChatFormat?
  {
    let words = (name ?? "").lowercased().split { !$0.isLetter && !$0.isNumber }
    let isInstructed = words.contains { ["it", "instruct", "chat", "instruction"].contains($0) }
    guard isInstructed else { return nil }
    if architecture.hasPrefix("gemma4") { return .gemma4 }
    if architecture.hasPrefix("gemma") { return .gemma }
    if isControl("<|im_start|>", tokenizer) {
      return words.contains { $0.hasPrefix("smollm2") } ? .smolLM2 : .chatML
    }
    if words.contains(where: { $0.hasPrefix("mistral") }) {
      return isControl("[INST]", tokenizer) ? .mistralV3 : .mistral
    }
    return words.contains { $0.hasPrefix("llama") } ? .llama2 : nil
  }

  /// Whether `text` holds `part`, byte for byte.
  private static func contains(_ text: String, _ part: String) -> Bool {
    let text = Array(text.utf8)
    let part = Array(part.utf8)
    guard text.count >= part.count else { return false }
    return (0...text.count - part.count).contains { text[$0..<$0 + part.count].elementsEqual(part) }
  }
}
