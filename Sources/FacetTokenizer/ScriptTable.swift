// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Which script a character belongs to, as far as training a vocabulary asks.
///
/// Hiragana and Katakana count as Han, as sentencepiece has it; scripts that few texts use share one
/// number. Unassigned characters take the script of those before them.
enum ScriptTable {
  /// Punctuation, digits, symbols, emoji.
  static let common: UInt8 = 0
  /// Marks that take the script of the character they stand on.
  static let inherited: UInt8 = 1
  static let han: UInt8 = 3

  private static let (starts, scripts) = parse()

  /// The number of a character's script.
  static func script(of scalar: UInt32) -> UInt8 {
    // U+30FC prolongs vowels in Katakana and Hiragana; Unicode calls it common.
    if scalar == 0x30FC { return han }
    var low = 0
    var high = starts.count
    while low < high {
      let middle = (low + high) / 2
      if starts[middle] <= scalar { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? common : scripts[low - 1]
  }

  private static func parse() -> ([UInt32], [UInt8]) {
    var starts: [UInt32] = []
    var scripts: [UInt8] = []
    for entry in ranges.split(separator: " ") {
      let halves = entry.split(separator: ":")
      guard halves.count == 2, let start = UInt32(halves[0], radix: 16),
        let script = UInt8(halves[1])
      else { continue }
      starts.append(start)
      scripts.append(script)
    }
    return (starts, scripts)
  }

  /// Where each run of one script begins (hexadecimal) and the script's number, from Unicode's
  /// property Script.
  private static let ranges = """
    0:0 41:4 5B:0 61:4 7B:0 AA:4 AB:0 BA:4 BB:0 C0:4 D7:0 D8:4 F7:0 F8:4 2B9:0 2E0:4 2E5:0 2EA:5 \
    2EC:0 300:1 370:6 374:0 375:6 37E:0 37F:6 385:0 386:6 387:0 388:6 3E2:2 3F0:6 400:7 485:1 \
    487:7 531:8 591:9 600:10 605:0 606:10 60C:0 60D:10 61B:0 61C:10 61F:0 620:10 640:0 641:10 \
    64B:1 656:10 670:1 671:10 6DD:0 6DE:10 700:11 750:10 780:12 7C0:2 860:11 870:10 8E2:0 8E3:10 \
    900:13 951:1 955:13 964:0 966:13 980:14 A01:15 A81:16 B01:17 B82:18 C00:19 C80:20 D00:21 \
    D81:22 E01:23 E3F:0 E40:23 E81:24 F00:25 FD5:0 FD9:25 1000:26 10A0:27 10FB:0 10FC:27 1100:28 \
    1200:29 13A0:30 1400:31 1680:32 16A0:33 16EB:0 16EE:33 1700:2 1735:0 1740:2 1780:34 1800:35 \
    1802:0 1804:35 1805:0 1806:35 18B0:31 1900:2 19E0:34 1A00:2 1AB0:1 1B00:2 1C80:7 1C90:27 \
    1CC0:2 1CD0:1 1CD3:0 1CD4:1 1CE1:0 1CE2:1 1CE9:0 1CED:1 1CEE:0 1CF4:1 1CF5:0 1CF8:1 1CFA:0 \
    1D00:4 1D26:6 1D2B:7 1D2C:4 1D5D:6 1D62:4 1D66:6 1D6B:4 1D78:7 1D79:4 1DBF:6 1DC0:1 1E00:4 \
    1F00:6 2000:0 200C:1 200E:0 2071:4 2074:0 207F:4 2080:0 2090:4 20A0:0 20D0:1 2100:0 2126:6 \
    2127:0 212A:4 212C:0 2132:4 2133:0 214E:4 214F:0 2160:4 2189:0 2800:2 2900:0 2C00:2 2C60:4 \
    2C80:2 2D00:27 2D30:2 2D80:29 2DE0:7 2E00:0 2E80:3 2FF0:0 3005:3 3006:0 3007:3 3008:0 3021:3 \
    302A:1 302E:28 3030:0 3038:3 303C:0 3041:3 3099:1 309B:0 309D:3 30A0:0 30A1:3 30FB:0 30FD:3 \
    3105:5 3131:28 3190:0 31A0:5 31C0:0 31F0:3 3200:28 3220:0 3260:28 327F:0 32D0:3 32FF:0 \
    3300:3 3358:0 3400:3 4DC0:0 4E00:3 A000:36 A4D0:2 A640:7 A6A0:2 A700:0 A722:4 A788:0 A78B:4 \
    A800:2 A830:0 A840:2 A8E0:13 A900:2 A92E:0 A92F:2 A960:28 A980:2 A9CF:0 A9D0:2 A9E0:26 \
    AA00:2 AA60:26 AA80:2 AB01:29 AB30:4 AB5B:0 AB5C:4 AB65:6 AB66:4 AB6A:0 AB6C:4 AB70:30 \
    ABC0:2 AC00:28 F900:3 FB00:4 FB13:8 FB1D:9 FB50:10 FD3E:0 FD40:10 FE00:1 FE10:0 FE20:1 \
    FE2E:7 FE30:0 FE70:10 FEFF:0 FF21:4 FF3B:0 FF41:4 FF5B:0 FF66:3 FF70:0 FF71:3 FF9E:0 FFA0:28 \
    FFE0:0 10000:2 10100:0 10140:6 10190:0 101A0:6 101D0:0 101FD:1 10280:2 102E0:1 102E1:0 \
    10300:2 10780:4 10800:2 10E60:10 10E80:2 10EC2:10 10F00:2 111E1:22 11200:2 1133B:1 1133C:2 \
    11660:35 11680:2 116D0:26 11700:2 11AB0:31 11AC0:2 11B00:13 11B60:2 11DF0:14 11EE0:2 \
    11FC0:18 12000:2 16FE2:3 16FE4:2 16FF0:3 17000:2 1AFF0:3 1B170:2 1BCA0:0 1CF00:1 1CF50:0 \
    1D127:1 1D129:0 1D167:1 1D16A:0 1D17B:1 1D183:0 1D185:1 1D18C:0 1D1AA:1 1D1AE:0 1D200:6 \
    1D250:0 1D25B:1 1D25D:0 1D800:2 1DB00:0 1DF00:4 1DFF3:6 1DFF5:4 1E000:2 1E030:7 1E100:2 \
    1E7E0:29 1E800:2 1EC71:0 1EE00:10 1F000:0 1F200:3 1F201:0 20000:3 3D000:2 E0001:0 E0100:1
    """
}
