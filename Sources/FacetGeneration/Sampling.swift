// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

public import FacetTokenizer

/// How the next token is drawn from the logits.
///
/// The steps run in llama.cpp's default order: logit bias → penalties → top-k → typical → top-p →
/// min-p → temperature → draw. So top-p and min-p look at the model's own distribution, whatever the
/// temperature. A step at its neutral value does nothing.
public struct Sampling: Sendable, Hashable {
  /// Divides the logits before the draw: above 1 more varied, below 1 more certain, 0 always takes the
  /// likeliest token.
  public var temperature: Float
  /// Keeps the k likeliest tokens; 0 keeps all.
  public var topK: Int
  /// Keeps the likeliest tokens that together have this probability; 1 keeps all.
  public var topP: Float
  /// Keeps tokens at least this fraction as likely as the likeliest; 0 keeps all.
  public var minP: Float
  /// Keeps tokens whose surprise is nearest to the expected one, until they have this much
  /// probability together (locally typical sampling, arXiv:2202.00666); 1 keeps all.
  public var typicalP: Float
  /// Divides positive and multiplies negative logits of tokens in the window (CTRL, arXiv:1909.05858); 1
  /// is off.
  public var repetitionPenalty: Float
  /// Taken off the logits of tokens that the window holds at all; 0 is off.
  public var presencePenalty: Float
  /// Taken off the logits of tokens for every time that the window holds them; 0 is off.
  public var frequencyPenalty: Float
  /// Tokens, prompt and answer alike, that penalties look back on: 0 none, -1 all.
  public var penaltyWindow: Int
  /// Added to the logits of these tokens; -∞ forbids one.
  public var logitBias: [TokenID: Float]
  /// Makes the draw repeatable; nil: different every time.
  public var seed: UInt64?

  /// Gemma's own recommendation: temperature 1, top-k 64, top-p 0.95.
  public init(
    temperature: Float = 1, topK: Int = 64, topP: Float = 0.95, minP: Float = 0,
    typicalP: Float = 1, repetitionPenalty: Float = 1, presencePenalty: Float = 0,
    frequencyPenalty: Float = 0, penaltyWindow: Int = 64, logitBias: [TokenID: Float] = [:],
    seed: UInt64? = nil
  ) {
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.minP = minP
    self.typicalP = typicalP
    self.repetitionPenalty = repetitionPenalty
    self.presencePenalty = presencePenalty
    self.frequencyPenalty = frequencyPenalty
    self.penaltyWindow = penaltyWindow
    self.logitBias = logitBias
    self.seed = seed
  }

  /// Always the likeliest token.
  public static let greedy = Sampling(temperature: 0)

  /// Every token with the model's own probability: no filter, temperature 1.
  public static let unfiltered = Sampling(topK: 0, topP: 1)

  /// True when penalties have anything to do.
  var hasPenalties: Bool {
    penaltyWindow != 0
      && (repetitionPenalty != 1 || presencePenalty != 0 || frequencyPenalty != 0)
  }

  /// True when a step between the penalties and the temperature drops tokens.
  var hasFilters: Bool { topK > 0 || typicalP < 1 || topP < 1 || minP > 0 }
}

extension Sampling {
  /// Refuses values out of range with a sentence that names the option.
  public func validate() throws(GenerationError) {
    func require(_ condition: Bool, _ sentence: String) throws(GenerationError) {
      guard condition else { throw GenerationError(.invalidOption, sentence) }
    }
    try require(
      temperature.isFinite && temperature >= 0,
      "The temperature is \(temperature); it must be 0 (always the likeliest token) or more.")
    try require(topK >= 0, "Top-k is \(topK); it must be 0 (off) or more.")
    try require(
      topP > 0 && topP <= 1, "Top-p is \(topP); it must lie above 0 and be at most 1 (off).")
    try require(minP >= 0 && minP <= 1, "Min-p is \(minP); it must lie between 0 (off) and 1.")
    try require(
      typicalP > 0 && typicalP <= 1,
      "Typical-p is \(typicalP); it must lie above 0 and be at most 1 (off).")
    try require(
      repetitionPenalty.isFinite && repetitionPenalty > 0,
      "The repetition penalty is \(repetitionPenalty); it must lie above 0 (1 is off).")
    try require(
      presencePenalty.isFinite,
      "The presence penalty is \(presencePenalty); it must be a finite number (0 is off).")
    try require(
      frequencyPenalty.isFinite,
      "The frequency penalty is \(frequencyPenalty); it must be a finite number (0 is off).")
    try require(
      penaltyWindow >= -1,
      "The penalty window is \(penaltyWindow) tokens; it must be -1 (all), 0 (none) or more.")
    for (token, bias) in logitBias {
      try require(
        token >= 0 && !bias.isNaN && bias < .infinity,
        "The logit bias of token \(token) is \(bias); tokens are 0 or more, biases are numbers.")
    }
  }
}

extension Sampling: Codable {
  enum CodingKeys: String, CodingKey {
    case temperature
    case topK = "top_k"
    case topP = "top_p"
    case minP = "min_p"
    case typicalP = "typical_p"
    case repetitionPenalty = "repetition_penalty"
    case presencePenalty = "presence_penalty"
    case frequencyPenalty = "frequency_penalty"
    case penaltyWindow = "penalty_window"
    case logitBias = "logit_bias"
    case seed
  }

  /// Reads the options that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    func read<T: Decodable>(_ key: CodingKeys, _ value: inout T) throws {
      if let stored = try values.decodeIfPresent(T.self, forKey: key) { value = stored }
    }
    try read(.temperature, &temperature)
    try read(.topK, &topK)
    try read(.topP, &topP)
    try read(.minP, &minP)
    try read(.typicalP, &typicalP)
    try read(.repetitionPenalty, &repetitionPenalty)
    try read(.presencePenalty, &presencePenalty)
    try read(.frequencyPenalty, &frequencyPenalty)
    try read(.penaltyWindow, &penaltyWindow)
    seed = try values.decodeIfPresent(UInt64.self, forKey: .seed)
    // Keys of a JSON object are strings.
    let biases = try values.decodeIfPresent([String: Float].self, forKey: .logitBias) ?? [:]
    for (key, bias) in biases {
      guard let token = TokenID(key) else {
        throw DecodingError.dataCorruptedError(
          forKey: .logitBias, in: values, debugDescription: "'\(key)' is not a token id.")
      }
      logitBias[token] = bias
    }
  }

  /// Writes every option.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(temperature, forKey: .temperature)
    try values.encode(topK, forKey: .topK)
    try values.encode(topP, forKey: .topP)
    try values.encode(minP, forKey: .minP)
    try values.encode(typicalP, forKey: .typicalP)
    try values.encode(repetitionPenalty, forKey: .repetitionPenalty)
    try values.encode(presencePenalty, forKey: .presencePenalty)
    try values.encode(frequencyPenalty, forKey: .frequencyPenalty)
    try values.encode(penaltyWindow, forKey: .penaltyWindow)
    let biases = logitBias.map { (String($0.key), $0.value) }
    try values.encode(Dictionary(uniqueKeysWithValues: biases), forKey: .logitBias)
    try values.encodeIfPresent(seed, forKey: .seed)
  }
}
