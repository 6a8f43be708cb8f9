// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Personal data that patterns can find in a text.
///
/// A pattern knows the form of a datum and, where it has one, its check digit. It does not know whether
/// the datum is anybody's, and finds no names, no addresses and no illnesses.
public enum PersonalData: String, Sendable, Hashable, CaseIterable {
  case email
  case phone
  case ipAddress = "ip_address"
  case creditCard = "credit_card"
  case iban
  case socialSecurityNumber = "social_security_number"

  /// How much harm its disclosure does.
  public enum Severity: String, Sendable, Hashable, CaseIterable {
    /// It leads to a person.
    case personal
    /// It harms the person at once.
    case sensitive
  }

  /// How much harm its disclosure does, as far as the form of a datum can tell.
  public var severity: Severity {
    switch self {
    case .email, .phone, .ipAddress: .personal
    case .creditCard, .iban, .socialSecurityNumber: .sensitive
    }
  }

  /// The kinds that are found in `text`.
  public static func found(in text: String) -> Set<PersonalData> {
    var found = Set(runs(in: text).compactMap(kind))
    if text.split(whereSeparator: isBetweenWords).contains(where: isEmail) { found.insert(.email) }
    if ibans(in: text) { found.insert(.iban) }
    return found
  }

  private static func isBetweenWords(_ character: Character) -> Bool {
    character.isWhitespace || "<>()[]{},;:\"'|".contains(character)
  }

  /// Letters, digits and a few signs, one `@`, and a domain with a point and letters at the end.
  private static func isEmail(_ word: Substring) -> Bool {
    let parts = word.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count == 2, let name = parts.first, !name.isEmpty, name.first != ".",
      name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "._%+-".contains($0)) })
    else { return false }
    var domain = parts[1]
    while domain.last == "." || domain.last == "!" || domain.last == "?" { domain.removeLast() }
    let labels = domain.split(separator: ".", omittingEmptySubsequences: false)
    guard labels.count >= 2, let top = labels.last, top.count >= 2,
      top.allSatisfy({ $0.isASCII && $0.isLetter })
    else { return false }
    return labels.allSatisfy { label in
      !label.isEmpty && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    }
  }

  /// The longest stretches of digits with spaces, dashes, points, brackets and a plus among them,
  /// that no letter or further digit touches.
  private static func runs(in text: String) -> [String] {
    var runs: [String] = []
    var run = ""
    var touches = false
    func isPart(_ character: Character) -> Bool {
      ("0"..."9").contains(character) || " -.()+/".contains(character)
    }
    for character in text + "\n" {
      if isPart(character) {
        run.append(character)
        continue
      }
      let isWord = character.isLetter || character == "_" || character == "@"
      // "…9abc": the run's last word belongs to a longer one.
      if isWord, run.last?.isNumber == true { run = dropLastWord(run) }
      if !run.isEmpty { runs.append(touches ? dropFirstWord(run) : run) }
      run = ""
      touches = isWord
    }
    return runs.map { $0.trimmed }.filter { $0.contains { $0.isNumber } }
  }

  private static func dropLastWord(_ run: String) -> String {
    String(run.prefix(upTo: run.lastIndex(of: " ") ?? run.startIndex))
  }

  private static func dropFirstWord(_ run: String) -> String {
    guard run.first != " " else { return run }
    return String(run.suffix(from: run.firstIndex(of: " ") ?? run.endIndex))
  }

  /// What a run of digits is by its form; the stricter forms first.
  private static func kind(_ run: String) -> PersonalData? {
    let digits = run.filter(\.isNumber)
    if isAddress(run) { return .ipAddress }
    if isSocialSecurityNumber(run) { return .socialSecurityNumber }
    let isPlain = run.allSatisfy { $0.isNumber || $0 == " " || $0 == "-" }
    if isPlain, (13...19).contains(digits.count), isLuhn(digits) { return .creditCard }
    return isPhone(run, digits) ? .phone : nil
  }

  /// Four numbers up to 255, the first not 0.
  private static func isAddress(_ run: String) -> Bool {
    let parts = run.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 || (parts.count == 5 && parts[4].isEmpty) else { return false }
    let numbers = parts.prefix(4).compactMap { part -> Int? in
      let isShort = (1...3).contains(part.count) && (part == "0" || part.first != "0")
      return isShort && part.allSatisfy(\.isNumber) ? Int(part) : nil
    }
    return numbers.count == 4 && numbers.allSatisfy { $0 <= 255 } && numbers[0] > 0
  }

  /// 123-45-6789, without the numbers that were never given out.
  private static func isSocialSecurityNumber(_ run: String) -> Bool {
    let parts = run.trimmingPoint.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.map(\.count) == [3, 2, 4], parts.joined().allSatisfy(\.isNumber) else {
      return false
    }
    return parts[0] != "000" && parts[0] != "666" && parts[0].first != "9" && parts[1] != "00"
      && parts[2] != "0000"
  }

  /// The check digit of payment cards (ISO/IEC 7812).
  private static func isLuhn(_ digits: String) -> Bool {
    guard Set(digits).count > 1 else { return false }
    let sum = digits.reversed().enumerated().reduce(0) { sum, entry in
      let digit = entry.element.wholeNumberValue ?? 0
      let doubled = digit * 2
      return sum + (entry.offset % 2 == 0 ? digit : doubled > 9 ? doubled - 9 : doubled)
    }
    return sum % 10 == 0
  }

  /// International with a plus, or ten or eleven digits in groups.
  private static func isPhone(_ run: String, _ digits: String) -> Bool {
    if run.hasPrefix("+") { return (8...15).contains(digits.count) }
    let groups = run.split { !$0.isNumber }
    guard (10...11).contains(digits.count), (3...5).contains(groups.count) else { return false }
    return groups.dropFirst().allSatisfy { (2...4).contains($0.count) }
      && groups.dropLast().allSatisfy { $0.count <= 4 }
  }
}

extension PersonalData {
  /// Whether the text holds an account number with the right check digits (ISO 13616).
  private static func ibans(in text: String) -> Bool {
    let characters = Array(text)
    for start in characters.indices where isStart(characters, start) {
      var account = ""
      for character in characters[start...].prefix(42) {
        if character == " " { continue }
        guard character.isASCII, character.isLetter || character.isNumber else { break }
        account.append(character)
        if (15...34).contains(account.count), isAccount(account) { return true }
      }
    }
    return false
  }

  /// Two capitals and two digits that begin a word.
  private static func isStart(_ text: [Character], _ index: Int) -> Bool {
    guard index + 3 < text.count,
      index == 0 || !(text[index - 1].isLetter || text[index - 1].isNumber)
    else { return false }
    return text[index...index + 1].allSatisfy { $0.isASCII && $0.isUppercase }
      && text[index + 2...index + 3].allSatisfy { $0.isASCII && $0.isNumber }
  }

  private static func isAccount(_ account: String) -> Bool {
    // The first four characters go to the end, letters become two digits, and the rest by 97 is 1.
    let moved = account.dropFirst(4) + account.prefix(4)
    guard moved.contains(where: \.isNumber), account.dropFirst(4).count(where: \.isNumber) >= 7
    else {
      return false
    }
    var rest = 0
    for character in moved {
      guard let value = Int(String(character), radix: 36) else { return false }
      rest = (rest * (value > 9 ? 100 : 10) + value) % 97
    }
    return rest == 1
  }
}

extension String {
  /// Without spaces and dashes at either end.
  fileprivate var trimmed: String {
    var text = self[...]
    while let first = text.first, " -./)".contains(first) { text.removeFirst() }
    while let last = text.last, " -(+/".contains(last) { text.removeLast() }
    return String(text)
  }

  /// Without the point that ends a sentence.
  fileprivate var trimmingPoint: String {
    var text = self
    while text.last == "." { text.removeLast() }
    return text
  }
}
