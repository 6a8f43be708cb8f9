// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetEvaluation
import Testing

@Suite("PersonalData")
struct PersonalDataTests {
  @Test(
    "what has the form of personal data is found in its sentence",
    arguments: [
      ("Write to jane.doe+news@mail.example.org, please.", PersonalData.email),
      ("<a@b.co>", .email),
      ("Call +44 20 7946 0958 now.", .phone),
      ("(415) 555-0132 is free", .phone),
      ("call 415-555-0132.", .phone),
      ("from 192.168.0.1: refused", .ipAddress),
      ("at 8.8.8.8.", .ipAddress),
      // The payment industry's published test numbers.
      ("card 4111 1111 1111 1111 expires", .creditCard),
      ("5500-0000-0000-0004", .creditCard),
      ("378282246310005", .creditCard),
      // The examples of the registry of ISO 13616.
      ("to GB82 WEST 1234 5698 7654 32 by Friday", .iban),
      ("DE89370400440532013000", .iban),
      ("ssn 123-45-6789.", .socialSecurityNumber),
    ])
  func found(_ text: String, _ kind: PersonalData) {
    #expect(PersonalData.found(in: text) == [kind], "\(text)")
  }

  @Test(
    "what only looks like it is not",
    arguments: [
      "", "Emma Woodhouse, handsome, clever, and rich, with a comfortable home", "a@b", "@home",
      "user@@example.org", "name@example.1", "256.1.1.1", "1.2.3", "1.2.3.4.5.6", "01.02.03.04",
      "version 0.4.13", "4111 1111 1111 1112", "0000 0000 0000 0000", "GB82 WEST 1234 5698 7654 33",
      "000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567", "1811–1816, 1817", "12 000 000",
      "chapter 3, page 415", "3.14159265358979", "2024-11-25", "a1234567890b", "x" + "9",
    ])
  func notFound(_ text: String) {
    #expect(PersonalData.found(in: text) == [], "\(text)")
  }

  @Test("several kinds in one text are all found")
  func several() {
    let text = "Mail a@b.example.com or +49 30 1234567, pay 4111111111111111, host 10.0.0.7."
    #expect(
      PersonalData.found(in: text) == [.email, .phone, .creditCard, .ipAddress])
    #expect(PersonalData.creditCard.severity == .sensitive)
    #expect(PersonalData.email.severity == .personal)
  }

  @Test("no text ends the search in any other way than with an answer")
  func fuzz() {
    let alphabet = Array("0189 -.()+/@aZ[]\n日é\u{301}")
    let seed = UInt64.random(in: 0 ... .max)
    var state = seed
    for round in 0..<2000 {
      var text = ""
      for _ in 0..<round % 60 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        text.append(alphabet[Int(state >> 33) % alphabet.count])
      }
      let found = PersonalData.found(in: text)
      #expect(found.count <= PersonalData.allCases.count, "seed \(seed)")
    }
  }
}
