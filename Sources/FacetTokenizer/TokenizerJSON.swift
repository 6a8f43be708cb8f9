// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

extension VocabularyDescription {
  /// Reads Hugging Face's `tokenizer.json` with a BPE model: Gemma's and Llama's form (▁ for spaces,
  /// byte fallback) or byte-level.
  ///
  /// The file does not name the special tokens; they are known by their usual names, and the caller
  /// may set those that config.json names.
  ///
  /// - Parameters:
  ///   - bytes: The file.
  ///   - file: What errors call the file.
  public init(tokenizerJSON bytes: [UInt8], file: String = "tokenizer.json") throws(TokenizerError)
  {
    var reader = TokenizerJSON(file: file)
    try reader.read(bytes)
    try self.init(reader)
  }

  private init(_ json: TokenizerJSON) throws(TokenizerError) {
    let form = try json.form()
    let table = try json.table(hasByteTokens: form.model == .sentencePiece && json.fallsBackToBytes)
    self.init(model: form.model, pieces: table.pieces, kinds: table.kinds)
    mergeParts = json.mergeParts
    dummyPrefix = form.dummyPrefix
    omitsDummyPrefixBeforeSpace = form.omitsDummyPrefixBeforeSpace
    ignoresMergesForWholeWords = json.ignoresMerges
    let first = json.firstSpecialToken
    func find(_ names: [String?]) -> TokenID? {
      names.lazy.compactMap { $0 }.compactMap { json.special[$0] }.first
    }
    bos = find([first, "<bos>", "<s>", "<|begin_of_text|>", "<|endoftext|>"])
    eos = find(["<eos>", "</s>", "<|end_of_text|>", "<|endoftext|>"])
    padding = find(["<pad>"])
    addsBOS = first != nil
    if let name = json.unknownName { unknown = find([name]) ?? table.find(name) }
  }
}

/// The parts of `tokenizer.json` that say how to tokenize.
struct TokenizerJSON {
  let file: String
  private var pieces = PackedStrings()
  private var ids: [TokenID] = []
  private var added: [JSONValue] = []
  private var normalizer: JSONValue = .null
  private var splitting: JSONValue = .null
  private var postProcessor: JSONValue = .null
  /// Two strings for each merge.
  private(set) var mergeParts = PackedStrings()
  private(set) var fallsBackToBytes = false
  private(set) var ignoresMerges = false
  private(set) var unknownName: String?
  private var type: String?
  private var affixes: [String] = []

  init(file: String) { self.file = file }

  mutating func read(_ bytes: [UInt8]) throws(TokenizerError) {
    // Offsets of pieces have 32 bits.
    guard bytes.count < 1 << 31 else {
      throw unsupported("has 2 GiB or more")
    }
    var scanner = JSONScanner(bytes, file: file)
    var result = self
    try scanner.readObject { scanner, key throws(TokenizerError) in
      switch key {
      case "added_tokens": result.added = try scanner.readValue().array ?? []
      case "normalizer": result.normalizer = try scanner.readValue()
      case "pre_tokenizer": result.splitting = try scanner.readValue()
      case "post_processor": result.postProcessor = try scanner.readValue()
      case "model": try result.readModel(&scanner)
      default: try scanner.skipValue()
      }
    }
    self = result
  }

  private mutating func readModel(_ scanner: inout JSONScanner) throws(TokenizerError) {
    var result = self
    try scanner.readObject { scanner, key throws(TokenizerError) in
      switch key {
      case "type": result.type = try scanner.readValue().string
      case "unk_token": result.unknownName = try scanner.readValue().string
      case "byte_fallback": result.fallsBackToBytes = try scanner.readValue().bool ?? false
      case "ignore_merges": result.ignoresMerges = try scanner.readValue().bool ?? false
      case "continuing_subword_prefix", "end_of_word_suffix":
        result.affixes += [try scanner.readValue().string ?? ""]
      case "vocab": try result.readVocabulary(&scanner)
      case "merges": try result.readMerges(&scanner)
      default: try scanner.skipValue()
      }
    }
    self = result
  }

  private mutating func readVocabulary(_ scanner: inout JSONScanner) throws(TokenizerError) {
    guard try scanner.peek() == 0x7B else {
      throw unsupported("has a vocabulary that is no table from piece to id")
    }
    try scanner.expect(0x7B)
    if try scanner.skip(0x7D) { return }
    repeat {
      try scanner.readString(into: &pieces)
      pieces.endString()
      try scanner.expect(0x3A)
      ids.append(try scanner.readToken())
    } while try scanner.skip(0x2C)
    try scanner.expect(0x7D)
  }

  /// Merges are `"left right"`, or `["left", "right"]` since pieces may hold spaces.
  private mutating func readMerges(_ scanner: inout JSONScanner) throws(TokenizerError) {
    try scanner.expect(0x5B)
    if try scanner.skip(0x5D) { return }
    repeat {
      guard try scanner.skip(0x5B) else {
        let text = try scanner.readString()
        let space = text.utf8.dropFirst().firstIndex(of: 0x20) ?? text.utf8.endIndex
        mergeParts.append(text.utf8[..<space])
        mergeParts.append(text.utf8[space...].dropFirst())
        continue
      }
      try scanner.readString(into: &mergeParts)
      mergeParts.endString()
      try scanner.expect(0x2C)
      try scanner.readString(into: &mergeParts)
      try scanner.expect(0x5D)
      mergeParts.endString()
    } while try scanner.skip(0x2C)
    try scanner.expect(0x5D)
  }

  /// The added tokens that are structure, by name.
  var special: [String: TokenID] {
    var result: [String: TokenID] = [:]
    for token in added where token["special"]?.bool == true {
      if let name = token["content"]?.string, let id = token["id"]?.token { result[name] = id }
    }
    return result
  }

  /// The token that the post-processor puts before every text.
  var firstSpecialToken: String? {
    let processors = postProcessor["processors"]?.array ?? [postProcessor]
    return processors.lazy.compactMap {
      $0["single"]?.array?.first?["SpecialToken"]?["id"]?.string
    }.first
  }

  /// The pieces in order of id, with their kinds.
  func table(hasByteTokens: Bool) throws(TokenizerError) -> JSONPieces {
    guard type == nil || type == "BPE" else {
      throw unsupported("holds a model of type '\(type ?? "")'")
    }
    guard affixes.allSatisfy(\.isEmpty) else { throw unsupported("marks the ends of words") }
    var result = try JSONPieces(pieces, ids, added: added, file: file)
    if hasByteTokens { result.markBytes() }
    return result
  }

  func unsupported(_ what: String) -> TokenizerError {
    TokenizerError(
      .unsupported,
      "\(file) \(what); Facet reads BPE as Gemma, Llama, Mistral, GPT-2 and SmolLM have it.")
  }

  /// The steps of a normalizer or pre-tokenizer, sequences taken apart.
  private func steps(_ value: JSONValue, _ member: String) -> [JSONValue] {
    if value == .null { return [] }
    return value[member]?.array ?? [value]
  }

  /// What the file's steps amount to.
  struct Form {
    var model = VocabularyDescription.Model.sentencePiece
    var dummyPrefix = VocabularyDescription.DummyPrefix.none
    var omitsDummyPrefixBeforeSpace = false
  }

  /// Understands the normalizer and the pre-tokenizer, or says which step is in the way.
  func form() throws(TokenizerError) -> Form {
    var form = Form()
    var replacesSpaces = false
    for step in steps(normalizer, "normalizers") {
      switch step["type"]?.string {
      case "Replace"
      where step["pattern"]?["String"]?.string == " " && step["content"]?.string == "▁":
        replacesSpaces = true
      case "Prepend" where step["prepend"]?.string == "▁": form.dummyPrefix = .everyFragment
      case let type: throw unsupported("rewrites text with the normalizer '\(type ?? "")'")
      }
    }
    var splitter: WordSplitter?
    var isolatesDigits = false
    for step in steps(splitting, "pretokenizers") {
      switch step["type"]?.string {
      case "Digits" where step["individual_digits"]?.bool == true: isolatesDigits = true
      case "ByteLevel"
      where step["add_prefix_space"]?.bool != true && step["use_regex"]?.bool != false:
        splitter = isolatesDigits ? .smolLM : .gpt2
      // Spaces are gone when this step looks for them.
      case "Split" where replacesSpaces && step["pattern"]?["String"]?.string == " ": break
      case "Metaspace" where step["replacement"]?.string == "▁" && step["split"]?.bool == false:
        replacesSpaces = true
        form.dummyPrefix = Self.prefix(step)
        form.omitsDummyPrefixBeforeSpace = true
      case let type:
        throw unsupported("cuts text in an unknown way with the pre-tokenizer '\(type ?? "")'")
      }
    }
    if let splitter {
      form.model = .byteLevel(splitter)
    } else if !replacesSpaces || isolatesDigits {
      throw unsupported("neither writes spaces as ▁ nor works on bytes")
    }
    return form
  }

  private static func prefix(_ metaspace: JSONValue) -> VocabularyDescription.DummyPrefix {
    switch metaspace["prepend_scheme"]?.string {
    case "never": .none
    case "first": .start
    default: metaspace["add_prefix_space"]?.bool == false ? .none : .everyFragment
    }
  }
}
