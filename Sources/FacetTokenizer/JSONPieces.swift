// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// The pieces of a `tokenizer.json` in order of id: its vocabulary and its added tokens.
struct JSONPieces {
  private(set) var pieces = PackedStrings()
  private(set) var kinds: [UInt8] = []

  init(_ strings: PackedStrings, _ ids: [TokenID], added: [JSONValue], file: String)
    throws(TokenizerError)
  {
    let count = try Self.count(ids, added, file)
    // Where the string of each id lies in `strings`; -1 for ids that the vocabulary leaves out.
    var places = [Int](repeating: -1, count: count)
    for (place, id) in ids.enumerated() {
      guard places[Int(id)] < 0 else {
        throw TokenizerError(
          .malformed, "\(file) gives the id \(id) to two pieces; it is damaged. Download it again.")
      }
      places[Int(id)] = place
    }
    var contents: [Int: (text: String, isSpecial: Bool)] = [:]
    for token in added {
      guard let id = token["id"]?.token, let text = token["content"]?.string else {
        throw TokenizerError(
          .malformed, "An added token of \(file) has no id or no content; the file is damaged.")
      }
      contents[Int(id)] = (text, token["special"]?.bool ?? false)
    }
    for id in 0..<count {
      if let content = contents[id] {
        pieces.append(content.text.utf8)
        kinds.append((content.isSpecial ? PieceKind.control : .userDefined).rawValue)
      } else if places[id] >= 0 {
        pieces.append(strings[places[id]])
        kinds.append(PieceKind.normal.rawValue)
      } else {
        pieces.append([])
        kinds.append(PieceKind.unused.rawValue)
      }
    }
  }

  /// How many ids there are; a file that leaves out most of them is refused.
  private static func count(_ ids: [TokenID], _ added: [JSONValue], _ file: String)
    throws(TokenizerError) -> Int
  {
    var largest: TokenID = -1
    for id in ids { largest = max(largest, id) }
    for token in added {
      let id = token["id"]?.token ?? -1
      guard id >= 0 else {
        throw TokenizerError(
          .malformed, "An added token of \(file) has no id or no content; the file is damaged.")
      }
      largest = max(largest, id)
    }
    let entries = ids.count + added.count
    guard entries > 0, Int(largest) < 2 * entries + 1024 else {
      throw TokenizerError(
        .malformed,
        "\(file) has \(entries) pieces but the id \(largest); it is damaged or is no tokenizer. "
          + "Download it again.")
    }
    return Int(largest) + 1
  }

  /// Marks `<0x00>` … `<0xFF>` as bytes.
  mutating func markBytes() {
    for id in kinds.indices where TokenizerStorage.byteValue(pieces[id]) != nil {
      kinds[id] = PieceKind.byte.rawValue
    }
  }

  func find(_ name: String) -> TokenID? {
    (0..<pieces.count).first { pieces[$0].elementsEqual(name.utf8) }.map { TokenID($0) }
  }
}
