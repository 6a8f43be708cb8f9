// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Decodes tokens as they come, and never gives out half a character.
///
/// The pieces that `append` and `finish` return, put together, are what `decode` makes of all the
/// tokens at once.
public struct StreamingDetokenizer: Sendable {
  private let tokenizer: Tokenizer
  private let skippingControl: Bool
  private var isAtStart: Bool
  /// At most three bytes: the beginning of a character.
  private var held: [UInt8] = []

  /// Begins a text, or goes on with one.
  public init(
    _ tokenizer: Tokenizer, skippingControl: Bool = true,
    from start: Tokenizer.DecodingStart = .text
  ) {
    self.tokenizer = tokenizer
    self.skippingControl = skippingControl
    isAtStart = start == .text
  }

  /// The text that is certain once `token` is known; often empty inside a character.
  public mutating func append(_ token: TokenID) -> String {
    tokenizer.append(
      token, skippingControl: skippingControl, isAtStart: &isAtStart, to: &held)
    let unfinished = UTF8Scan.unfinishedSuffix(held)
    let text = String(decoding: held.dropLast(unfinished), as: UTF8.self)
    held.removeFirst(held.count - unfinished)
    return text
  }

  /// What is left when no token follows: U+FFFD for a character that was never finished.
  public mutating func finish() -> String {
    defer { held.removeAll() }
    return String(decoding: held, as: UTF8.self)
  }
}
