// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

/// Text in which certain markers, where they come, must be followed by something: the automaton of Aho
/// and Corasick (1975) over the markers' bytes, with everything else in between.
struct MarkedText {
  /// A beginning of markers.
  private struct Place {
    var bytes: [UInt8]
    var children: [UInt8: Int] = [:]
    /// What must follow here, and the state after it.
    var follow: (GrammarExpression, Int)?
  }

  /// Whether markers count only where a line begins, after spaces at most.
  private let beginsLines: Bool
  /// The tree of the markers; 0 is its root.
  private var places = [Place(bytes: [])]
  /// States behind what follows markers.
  private var afterCount = 0

  init(beginsLines: Bool) { self.beginsLines = beginsLines }

  /// A state for what comes after a marker.
  mutating func addState() -> Int {
    afterCount += 1
    return afterCount - 1
  }

  /// Adds a marker, what follows it, and the state after that.
  mutating func add(_ marker: [UInt8], _ follow: GrammarExpression, to state: Int) {
    var place = 0
    for byte in marker {
      if let child = places[place].children[byte] {
        place = child
        continue
      }
      places.append(Place(bytes: places[place].bytes + [byte]))
      places[place].children[byte] = places.count - 1
      place = places.count - 1
    }
    places[place].follow = (follow, state)
  }

  /// Texts without a marker, and those that end after what follows their first one.
  func graph(whole after: Int) -> GrammarGraph {
    var graph = GrammarGraph()
    // A state for each place, one for the middle of a line, those after markers.
    for _ in 0..<places.count + afterCount { _ = graph.addState() }
    let middle = beginsLines ? places.count : 0
    for (index, place) in places.enumerated() {
      if let (follow, state) = place.follow {
        graph.add(follow, from: index, to: places.count + 1 + state)
        continue
      }
      graph.accepting.insert(index)
      addText(from: index, place, middle, to: &graph)
    }
    if beginsLines {
      graph.accepting.insert(middle)
      graph.add(.text("\n"), from: middle, to: 0)
      graph.add(.scalars(Self.scalars(except: [0x0A])), from: middle, to: middle)
    }
    graph.accepting.insert(places.count + 1 + after)
    return graph
  }

  /// The ways on from a place: further into markers, and back out of them.
  private func addText(
    from index: Int, _ place: Place, _ middle: Int, to graph: inout GrammarGraph
  ) {
    var special: Set<UInt8> = []
    for (byte, child) in place.children.sorted(by: { $0.key < $1.key }) {
      special.insert(byte)
      graph.add(.bytes([byte]), from: index, to: child)
    }
    if beginsLines {
      let isBlank = index == 0
      for byte: UInt8 in isBlank ? [0x0A, 0x20] : [0x0A] where special.insert(byte).inserted {
        graph.add(.bytes([byte]), from: index, to: 0)
      }
    } else {
      for byte in alphabet.sorted() where special.insert(byte).inserted {
        let target = longestEnd(place.bytes + [byte])
        if byte < 0x80 { graph.add(.bytes([byte]), from: index, to: target) }
      }
    }
    // Within a multi-byte mark nothing else can follow.
    guard place.bytes.first.map({ $0 < 0x80 }) ?? true else { return }
    graph.add(.scalars(Self.scalars(except: special)), from: index, to: middle)
  }

  private var alphabet: Set<UInt8> { Set(places.flatMap(\.bytes)) }

  /// The deepest place that `bytes` end with.
  private func longestEnd(_ bytes: [UInt8]) -> Int {
    for start in bytes.indices.dropFirst() {
      if let index = places.firstIndex(where: { $0.bytes.elementsEqual(bytes[start...]) }) {
        return index
      }
    }
    return 0
  }

  /// All scalars but some of ASCII.
  private static func scalars(except bytes: Set<UInt8>) -> ScalarSet {
    ScalarSet(bytes.filter { $0 < 0x80 }.map { UInt32($0)...UInt32($0) }).inverted
  }
}
