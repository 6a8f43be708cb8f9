// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// The random numbers of CPython's `random.Random(seed)`: the Mersenne Twister MT19937.
///
/// lm-eval draws examples with it, so the same prompts need the same numbers
/// (Matsumoto and Nishimura 1998; CPython's Modules/_randommodule.c and Lib/random.py, as documented).
package struct PythonRandom: Sendable {
  private static let size = 624
  private static let middle = 397

  private var state: [UInt32]
  private var index: Int

  /// Begins as `random.Random(seed)` does, for seeds of one 32-bit word.
  package init(seed: UInt32) {
    state = Self.filled(19_650_218)
    index = Self.size
    mix(key: [seed])
  }

  /// The state that one number gives.
  private static func filled(_ seed: UInt32) -> [UInt32] {
    var state = [UInt32](repeating: seed, count: size)
    for i in 1..<size {
      let last = state[i - 1]
      state[i] = 1_812_433_253 &* (last ^ last >> 30) &+ UInt32(i)
    }
    return state
  }

  /// Stirs the words of `key` into the state.
  private mutating func mix(key: [UInt32]) {
    var (i, j) = (1, 0)
    for _ in 0..<max(Self.size, key.count) {
      let last = state[i - 1]
      state[i] = (state[i] ^ (last ^ last >> 30) &* 1_664_525) &+ key[j] &+ UInt32(j)
      advance(&i)
      j = (j + 1) % key.count
    }
    for _ in 0..<Self.size - 1 {
      let last = state[i - 1]
      state[i] = (state[i] ^ (last ^ last >> 30) &* 1_566_083_941) &- UInt32(i)
      advance(&i)
    }
    state[0] = 0x8000_0000
  }

  private mutating func advance(_ i: inout Int) {
    i += 1
    guard i >= Self.size else { return }
    state[0] = state[Self.size - 1]
    i = 1
  }

  /// The next 32 random bits.
  package mutating func next() -> UInt32 {
    if index == Self.size { twist() }
    var word = state[index]
    index += 1
    word ^= word >> 11
    word ^= word << 7 & 0x9d2c_5680
    word ^= word << 15 & 0xefc6_0000
    return word ^ word >> 18
  }

  private mutating func twist() {
    for i in 0..<Self.size {
      let joined = state[i] & 0x8000_0000 | state[(i + 1) % Self.size] & 0x7fff_ffff
      let odd: UInt32 = joined & 1 == 0 ? 0 : 0x9908_b0df
      state[i] = state[(i + Self.middle) % Self.size] ^ joined >> 1 ^ odd
    }
    index = 0
  }

  /// A number below `bound`, which lies between 1 and 2³² − 1.
  package mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0 && bound <= UInt32.max, "a random number below \(bound)")
    let bits = Int.bitWidth - bound.leadingZeroBitCount
    while true {
      let number = Int(next() >> UInt32(32 - bits))
      if number < bound { return number }
    }
  }

  /// `random.sample(range(population), count)`.
  package mutating func sample(_ population: Int, _ count: Int) -> [Int] {
    precondition(count >= 0 && count <= population, "\(count) of \(population)")
    guard count > 0 else { return [] }
    return population <= Self.poolLimit(count)
      ? sampleFromPool(population, count) : sampleBySet(population, count)
  }

  /// Up to which population a list is cheaper than a set, by CPython's reckoning.
  private static func poolLimit(_ count: Int) -> Int {
    var limit = 21
    if count > 5 {
      // 4 ^ ceil(log4(3 k)), in whole numbers.
      var power = 1
      while power < count * 3 { power *= 4 }
      limit += power
    }
    return limit
  }

  private mutating func sampleFromPool(_ population: Int, _ count: Int) -> [Int] {
    var pool = Array(0..<population)
    return (0..<count).map { i in
      let place = below(population - i)
      defer { pool[place] = pool[population - i - 1] }
      return pool[place]
    }
  }

  private mutating func sampleBySet(_ population: Int, _ count: Int) -> [Int] {
    var taken: Set<Int> = []
    return (0..<count).map { _ in
      var place = below(population)
      while !taken.insert(place).inserted { place = below(population) }
      return place
    }
  }
}
